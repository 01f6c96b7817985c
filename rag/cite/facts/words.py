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
    detainees activists journalists reporters protesters protests citizens residents workers
    students teachers scientists researchers doctors patients users customers companies firms banks
    markets prices costs exports imports sanctions talks negotiations relations elections voters
    parties troops soldiers forces police courts judges lawyers laws rules countries states cities
    towns villages children women men families parents others more than nearly almost roughly
    approximately about exactly additionally furthermore moreover meanwhile finally first second
    later earlier recently previously historically initially eventually ultimately similarly
    likewise consequently therefore hence otherwise nevertheless nonetheless still again already
    soon now never always often sometimes usually generally typically mostly largely mainly partly
    fully being having doing given due thanks apart aside rather unlike like based following
    including concerning regarding considering assuming provided released freed according dozens
    hundreds thousands millions half part parts lack fear fears hope hopes hard-liners hawks moves
    efforts attempts plans reports sources documents evidence data figures numbers results studies
    state public private western eastern northern southern local national international foreign
    economic political social military human civil independent former current new old young rich
    poor big small large high low long short early late major minor main key important possible
    likely two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million quarter certain ultrasound surgery access use water food money time
    work health oil gas energy war peace power trade law music art language religion science
    technology age life death love man woman child person student teacher doctor patient company
    nation city town country region president parliament congress king queen emperor prince minister
    team player game season bridge river lake sea ocean island mountain land soil air light sound
    heat cold rain snow wind fire steam iron steel gold silver copper coal wood paper glass plastic
    cotton milk bread meat fish fruit sugar salt coffee tea beer wine average median total maximum
    minimum lower higher greater larger smaller better worse best worst initial final next various
    different similar true support opposition research fighting labour labor demand supply pay
    growth trust release arrest fraud compassion propaganda dialogue isolation industry economy
    inflation unemployment poverty crime violence freedom democracy justice truth success failure
    speaking freeing letting today tomorrow yesterday everything something anything""".split()
)
"""English words that begin a sentence with a capital and are no names."""
PLACES = frozenset(
    """afghanistan africa african africans albania algeria america american americans argentina armenia
    asia asian athens australia australian australians austria austrian azerbaijan bangladesh
    beijing belarus belarusian belarusians belgium belgian berlin bolivia bosnia brazil brazilian
    brussels bulgaria bulgarian cambodia canada canadian canadians chile china chinese colombia
    croatia cuba cuban cyprus denmark danish dutch ecuador egypt egyptian england english estonia
    estonian ethiopia europe european europeans finland finnish france french georgia georgian
    german germans germany ghana greece greek greeks hungary hungarian iceland india indian indians
    indonesia iran iranian iraq iraqi ireland irish israel israeli italy italian italians jamaica
    japan japanese jordan kazakhstan kenya korea korean kyiv latvia latvian lebanon libya lithuania
    lithuanian lithuanians london luxembourg malaysia malta mexico mexican minsk moldova mongolia
    morocco moscow nepal netherlands niger nigeria norway norwegian pakistan palestine paraguay
    paris peru philippines poland polish poles portugal portuguese prague qatar romania romanian
    rome russia russian russians scotland scottish serbia serbian singapore slovakia slovenia
    somalia spain spanish sudan sweden swedish switzerland swiss syria syrian taiwan thailand tokyo
    tunisia turkey turkish turks uganda ukraine ukrainian ukrainians uruguay venezuela vienna
    vietnam vilnius wales warsaw washington welsh yemen zambia zimbabwe""".split()
)
"""Countries, peoples and capitals, folded: a sentence that begins with one names it."""
