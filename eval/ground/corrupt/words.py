"""Names of one kind, of which any can stand where another does."""

COUNTRIES = """
Argentina Australia Austria Belarus Belgium Brazil Bulgaria Canada Chile China Colombia Croatia
Cuba Denmark Egypt England Estonia Ethiopia Finland France Germany Ghana Greece Hungary Iceland
India Indonesia Iran Iraq Ireland Israel Italy Japan Jordan Kenya Latvia Lebanon Lithuania
Malaysia Mexico Morocco Nepal Netherlands Nigeria Norway Pakistan Peru Poland Portugal Romania
Russia Scotland Serbia Singapore Slovakia Slovenia Spain Sweden Switzerland Syria Thailand
Tunisia Turkey Uganda Ukraine Uruguay Venezuela Vietnam Wales Yemen
""".split()
NATIONALITIES = """
American Australian Austrian Belarusian Belgian Brazilian British Bulgarian Canadian Chilean
Chinese Cuban Danish Dutch Egyptian English Finnish French German Greek Hungarian Icelandic
Indian Iranian Iraqi Irish Israeli Italian Japanese Kenyan Korean Lithuanian Malaysian Mexican
Moroccan Nigerian Norwegian Pakistani Peruvian Polish Portuguese Romanian Russian Scottish
Serbian Spanish Swedish Swiss Syrian Thai Turkish Ukrainian Vietnamese Welsh
""".split()
CITIES = """
Amsterdam Athens Atlanta Baghdad Baltimore Barcelona Beijing Belfast Berlin Boston Bristol
Brussels Budapest Cairo Calgary Chicago Cincinnati Cleveland Copenhagen Dallas Delhi Denver
Detroit Dresden Dublin Edinburgh Frankfurt Fresno Geneva Glasgow Graz Hamburg Helsinki Houston
Istanbul Jakarta Kyiv Lahore Leeds Lisbon Liverpool London Madrid Manchester Marseille Memphis
Miami Milan Milwaukee Minsk Montreal Moscow Mumbai Munich Nairobi Naples Nashville Oslo Ottawa
Paris Philadelphia Phoenix Pittsburgh Portland Prague Prato Rome Rotterdam Sacramento Seattle
Seoul Shanghai Sheffield Stockholm Strasbourg Sydney Tehran Tokyo Toronto Turin Utrecht
Vancouver Venice Vienna Vilnius Warsaw Zurich
""".split()
STATES = """
Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Hawaii Idaho
Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota
Mississippi Missouri Montana Nebraska Nevada Ohio Oklahoma Oregon Pennsylvania Tennessee Texas
Utah Vermont Virginia Wisconsin Wyoming Victoria Queensland Tasmania
""".split()
CONTINENTS = "Europe Asia Africa Australia Antarctica".split()
CREEDS = """
Catholic Protestant Jewish Muslim Buddhist Hindu Orthodox Christian
""".split()
PEOPLE = """
Lukashenko Ryzhenkov Luther Tesla Edison Einstein Newton Galileo Aristotle Kublai Watt
Shakespeare Napoleon Hitler Stalin Lenin Trotsky Churchill Thatcher Obama Reagan Nixon Kennedy
Washington Lincoln Roosevelt Westinghouse Marconi Genghis Rollo Calvin Kenyatta Darwin Pasteur
Cameron Miliband
""".split()

KINDS = (COUNTRIES, NATIONALITIES, CITIES, STATES, CONTINENTS, CREEDS, PEOPLE)
