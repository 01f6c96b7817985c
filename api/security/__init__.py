"""Who may come in, and how much they may bring: keys, hosts, origins, rates, bodies."""
