"""English words that are no names wherever they stand."""

EMPTY = frozenset(
    """although while during since until according both each however over under some many most several
    only also then thus despite instead because though here there today currently overall yet once
    even after before when where if as at by for from in into of on per through to toward towards upon
    with within without about above across against along amid among around behind below beneath beside
    besides between beyond near off onto out outside past than throughout till up via whereas whether
    whoever whatever whichever and but or nor so this that these those such any all no not yes other
    another its their his her our my your they them him us she he we you it i who whom what which
    whose why how every more less few fewer much little enough neither either none nothing nobody
    everyone someone anyone the a an is are was were be been being has have had do does did will would
    can could may might shall should must the said says say including""".split()
)
"""English words that say nothing by themselves."""
COMMON = EMPTY | frozenset(
    """people twice upwards well yeah yep yes sure ok okay oh please note see officials authorities
    governments government leaders members experts analysts critics supporters opponents prisoners
    detainees activists journalists reporters protesters protests citizens residents workers students
    teachers scientists researchers doctors patients users customers companies firms banks markets
    prices costs exports imports sanctions talks negotiations relations elections voters parties
    troops soldiers forces police courts judges lawyers laws rules countries states cities towns
    villages children women men families parents others more than nearly almost roughly approximately
    about exactly additionally furthermore moreover meanwhile finally first second later earlier
    recently previously historically initially eventually ultimately similarly likewise consequently
    therefore hence otherwise nevertheless nonetheless still again already soon now never always often
    sometimes usually generally typically mostly largely mainly partly fully being having doing given
    due thanks apart aside rather unlike like based following including concerning regarding
    considering assuming provided released freed according dozens hundreds thousands millions half
    part parts lack fear fears hope hopes hard-liners hawks moves efforts attempts plans reports
    sources documents evidence data figures numbers results studies state public private western
    eastern northern southern western local national international foreign economic political social
    military human civil independent former current new old young rich poor big small large high low
    long short early late major minor main key important possible likely""".split()
)
"""English words that begin a sentence with a capital and are no names."""
