"""The wordings by which a text gives orders to whoever answers, in several languages.

Each is an order's verb with an object that only a machine has: its prompt, its rules, its reply.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern, tried only where one of its `cues` stands in the text, in lower case."""

    cues: Sequence[str]
    pattern: str
    imperative: bool = False
    """Whether it counts only where a clause begins: "ignore …", not "they ignore …"."""


def _phrase(cues: str, pattern: str) -> Form:
    return Form(cues.split("|"), pattern)


def _order(cues: str, pattern: str) -> Form:
    return Form(cues.split("|"), pattern, imperative=True)


_SAY = "reply|respond|answer|say|print|output|write|repeat|return|type|state|tell"
_ALL = (
    r"(?:(?:all|any|every|each|the|your|my|these|those|this|of|other|and|or|also|entire|whole)"
    r"\s+){0,8}"
)
_BEFORE = r"(?:(?:previous|prior|above|preceding|earlier|foregoing|existing|former|original|system)\s+)"
_RULES = r"(?:instructions?|prompts?|rules|guidelines|directions|directives|commands|orders)"
_GIVEN = rf"(?:{_RULES}|questions?|context|passages?|documents?|conversation|text)"
_AI = (
    r"(?:AIs?|A\.I\.|LLMs?|(?:large )?language models?|chat ?bots?|assistants?|AI (?:model|agent|"
    r"system|assistant|reader)s?|ChatGPT|GPT-?\d?|Claude|Gemini|Copilot)"
)
_AI_CUES = "assistant| ai |ai:| ai,|llm|language model|chatbot|gpt|claude|gemini|copilot"

_ENGLISH = (
    # What was asked or ruled shall not count.
    _order(
        "ignore|disregard|forget|override|bypass|discard",
        rf"\b(?:ignore|disregard|forget|override|bypass|discard)\s+{_ALL}(?:{_BEFORE}+(?:and\s+\w+\s+)?"
        rf"{_GIVEN}|questions?\s+(?:and|above|asked)|{_RULES}\s+(?:above|before|you|given|that|so far)"
        rf"|(?:all|any|every|your)\s+(?:of\s+)?(?:the\s+|your\s+|my\s+)?{_RULES}"
        rf"|{_ALL}(?:retrieved|provided|given|supplied)\s+{_GIVEN}|{_ALL}{_GIVEN}\s+you\s+(?:were|are|got)"
        rf"|user(?:'s)?\s+(?:question|request|query)|(?:that\s+)?(?:is\s+)?above\b(?!\s+\w)"
        rf"|everything\s+(?:above|before|else|you))",
    ),
    _order(
        "not answer|n't answer|never answer|stop answer|not follow|n't follow|never follow|stop follow",
        r"\b(?:do not|don't|never|stop)\s+(?:answer(?:ing)?\s+(?:the|this|that|their)\s+"
        rf"(?:user'?s?\s+)?(?:question|query)\b(?!s)|follow(?:ing)?\s+{_ALL}(?:{_BEFORE}|your\s+){_RULES})",
    ),
    _phrase(
        "rules|instructions|guidelines",
        r"\b(?:rules|instructions|guidelines)\s+(?:above\s+)?(?:have|has)\s+(?:been\s+)?(?:changed|"
        rf"replaced|updated|revoked)\b[^\n]{{0,40}}\b(?:{_SAY})\b",
    ),
    # What the reply shall be.
    _order(
        "nothing else|nothing more|no other word",
        rf"\b(?:{_SAY})\b[^.!?\n]{{1,90}}\b(?:nothing (?:else|more)|and no other word)",
    ),
    _order(
        "reply|respond|answer",
        r"\b(?:reply|respond|answer)\s+(?:to\s+(?:all|every|any|everything)\w*(?:\s+\w+)?\s*:|"
        r"(?:\w+\s+){0,4}(?:with|by saying)\s+(?:only|just|exactly|nothing|the (?:word|phrase|sentence|"
        r"text|code|following)s?\b)|(?:only|just|simply|always|exclusively)\s+(?:with|by)\b"
        r"|(?:\w+\s+){0,2}with\s+[\"“«][^\"”»\n]{1,40}[\"”»](?!\s*(?:or\b|/|,)))",
    ),
    _phrase(
        "reply|response|answer|output",
        r"\b(?:your|the|every|each)\s+(?:final\s+|next\s+|whole\s+)?(?:reply|response|answer|output)\s+"
        r"(?:must|should|shall|will|has to|needs to|is to)\s+(?:only\s+|always\s+|exactly\s+)?"
        r"(?:begin|start|end|consist|say|read|be\s+(?:only|exactly|just)|be:|contain only)",
    ),
    _phrase(
        "answer that you|answer you",
        r"\banswer\s+(?:that\s+)?you\s+(?:must|should|have to|are to|shall)\s+give",
    ),
    _order(
        "reply|response|answer",
        r"\b(?:add|include|append|insert|put|begin|start|end|finish|write|place|embed|close)\b"
        r"[^.!?\n]{0,90}\b(?:in|to|at|into|with|of)\s+(?:your|every|each|any)\s+(?:reply|response|"
        r"answer)s?\b[^\n]{0,60}(?:!?\[|https?://|:|\bexactly)",
    ),
    _phrase(
        "reply|replies|response|answer",
        r"\b(?:begin|start|end|finish|close|open|preface)\s+(?:your|every|each|all)\s+(?:replies|"
        r"(?:reply|response|answer)s?)\s+(?:with|by)\b",
    ),
    _order(
        "cite",
        r"\bcite\s+(?:only\s+)?(?:\[\d+\]|(?:the\s+)?(?:passage|document|source)s?)[^.!?\n]{0,40}"
        r"\b(?:every|all|each|any|whatever|instead)\b",
    ),
    _phrase(
        "ing your reply|ing your response|ing your answer|ing your summary",
        r"\b(?:when|while|before|after|in)\s+(?:drafting|writing|composing|giving|preparing|generating)\s+"
        r"your\s+(?:reply|response|answer|summary)",
    ),
    _phrase(
        "asked|asks",
        r"\b(?:when|if|whenever)\s+(?:you are|you're|someone|anyone|an?\s+user|the user|users)\s+"
        r"(?:is\s+|are\s+)?ask(?:ed|s)\s*(?:about\s*|for\s*|,\s*)?[:\"“„'«][^\n]{1,400}"
        rf"\b(?:{_SAY})\b",
    ),
    _order(
        "decode|decrypt|unscramble",
        r"\b(?:decode|decrypt|unscramble)\b[^.!?\n]{0,90}\b(?:follow|obey|carry (?:it )?out|execute|"
        r"do (?:as|what)|as your (?:reply|answer))",
    ),
    # Who is spoken to.
    _phrase(
        "you are now|you are no longer",
        r"\byou are (?:now|no longer)\s+(?:an?|the|in|bound by)\s+(?:[\w-]+\s+){0,3}"
        rf"(?:{_AI}|mode|bot|model|persona|rules|character|machine)\b",
    ),
    _phrase(
        "from now on|from here on",
        r"\bfrom (?:now|here) on,?\s+(?:you\s+(?:must|will|shall|should|are to)\s+|always\s+|only\s+)*"
        rf"(?:{_SAY}|act|behave)\b",
    ),
    _order("pretend", r"\bpretend\s+(?:that\s+)?you(?:'re|\s+are|\s+have)\b"),
    _order(
        "act as|act like|roleplay|role-play|pretend|behave",
        r"\b(?:act|roleplay|role-play|pretend|behave)\s+(?:as|to be|like|that you are)\s+"
        rf"(?:if you were\s+)?(?:an?|the)\s+(?:[\w-]+\s+){{0,2}}(?:{_AI}|unrestricted|bot|model)\b",
    ),
    _phrase(
        _AI_CUES,
        r"\b(?:attention|dear|hey|hello|notes?\s+(?:to|for)|message\s+(?:to|for)|instructions?\s+"
        rf"(?:to|for)|tasks?\s+for|important for)\s*,?\s*{_ALL}{_AI}\s*[:,.!—–]",
    ),
    _phrase("if you are a", rf"\bif you are (?:an?|the)\s+(?:{_AI}|automated (?:system|reader))\b"),
    _phrase(
        _AI_CUES,
        rf"\bas (?:an?|the)\s+(?:AI (?:language )?(?:model|assistant)|{_AI})\s*,?\s*you\s+"
        r"(?:must|should|will|are)",
    ),
    _phrase(
        _AI_CUES,
        r"\b(?:assistant|AI|chatbot|LLM|model|bot)\s*[:,]\s*(?:please\s+|now\s+|you must\s+)?"
        rf"(?:your (?:reply|response|answer|task)|ignore|disregard|(?:{_SAY})\s+"
        r"(?!me\b|us\b|her\b|him\b))",
    ),
    _phrase(
        _AI_CUES + "|for you",
        r"\b(?:new|updated|real|actual|next)\s+(?:task|instructions?|rules?|objective|orders?)\s+for\s+"
        rf"(?:the|all|any|an?)?\s*(?:{_AI}|you\b|model)",
    ),
    # What stands in its prompt.
    _order(
        "prompt|instruction|system message|your system",
        r"\b(?:reveal|repeat|print|show|output|tell|leak|display|disclose|give|write|quote|recite|copy|"
        r"state|include)\b[^.!?\n]{0,50}\b(?:your\s+(?:(?:own|initial|original|hidden|secret|full|"
        r"system)\s+)*(?:prompt|instructions)|(?:the|your)\s+(?:\w+\s+)?system\s+(?:prompt|message|instructions?)|"
        r"(?:words?|text|secrets?|instructions?)\s+(?:in|of|from)\s+your\s+"
        r"(?:system|prompt|instructions))",
    ),
    _order(
        "everything |all |words|text",
        r"\b(?:repeat|print|show(?:\s+me)?|output|display|reveal|copy|quote)\s+(?:everything|all(?:\s+"
        r"(?:of\s+)?(?:the\s+)?(?:text|words))?|the\s+(?:text|words))\s+(?:that\s+)?(?:above|(?:came|"
        r"stands?|is|was written)\s+(?:before|above)|from the (?:beginning|start) of (?:this|the|our)"
        r"\s+(?:conversation|chat|prompt))\b(?!\s+(?:the|a)\b)",
    ),
    _order("new instruction", r"\bnew\s+instructions?\s*:"),
    _phrase("system ", r"\bsystem\s+(?:prompt|override|instruction|command)s?\s*:"),
)
_GERMAN = (
    _phrase(
        "ignorier|vergiss|vergessen sie|missachte",
        r"\b(?:ignorier(?:e|en Sie|t)?|vergiss|vergessen Sie|missachte(?:n Sie)?)\s+(?:bitte\s+)?"
        r"(?:\w+\s+){0,3}(?:anweisung(?:en)?|instruktion(?:en)?|vorgaben|regeln|prompts?|frage\s+und|"
        r"alles\s+(?:davor|oben|bisherige|vorherige|andere))\b",
    ),
    _phrase(
        "nur |ausschließlich|lediglich|immer mit|nichts ",
        r"\b(?:antworten? Sie|antworte|sage?|sagen Sie|schreibe?|schreiben Sie|gib|geben Sie)\s+"
        r"(?:\w+\s+){0,3}?(?:(?:nur|ausschließlich|lediglich|immer)\s+(?:mit|das Wort|den Satz|aus:)|"
        r"nichts (?:anderes|weiter))",
    ),
    _phrase(
        "antwort ",
        r"\b(?:deine|ihre)\s+antwort\s+(?:muss|soll)\s+(?:nur|mit|lauten|ausschließlich|so)\b",
    ),
    _phrase(
        "du bist ",
        r"\bdu bist (?:jetzt|nun|ab (?:jetzt|sofort))\s+(?:ein|eine|der|die|kein|im)\s+(?:\w+\s+){0,2}?"
        r"(?:KI|assistent|modell|bot|modus)",
    ),
    _phrase("frage nicht", r"\bbeantworten?(?: Sie)?\s+(?:die|diese)\s+frage\s+nicht"),
    _phrase(
        "system",
        r"\b(?:zeige?|verrate?|wiederhole?|gib|nenne?)\b[^.!?\n]{0,40}\bdein\w*\s+"
        r"system-?\s?(?:prompt|nachricht|anweisung)",
    ),
)
_FRENCH = (
    _phrase(
        "ignor|oubli|ne tiens|ne tenez",
        r"\b(?:ignore[zr]?|oublie[zr]?|ne (?:tiens|tenez) (?:pas|aucun) compte)\s+(?:[\w']+\s+){0,3}?"
        r"(?:d['’])?(?:tout ce qui précède|(?:instructions?|consignes?|règles|directives?)\s+"
        r"(?:préc[ée]dent\w*|ci-dessus|ant[ée]rieur\w*|du système|données|et\b))",
    ),
    _phrase(
        "uniquement|seulement|exclusivement|simplement",
        r"\b(?:réponds|répondez|dis|dites|écris|écrivez|affichez?)\s+(?:[\w']+\s+){0,2}"
        r"(?:uniquement|seulement|exclusivement|simplement)\s+(?:par|avec|«|\"|:|le mot|la phrase)",
    ),
    _phrase(
        "réponse doit|réponse devra",
        r"\b(?:ta|votre)\s+réponse\s+(?:doit|devra)\s+(?:commencer|débuter|être seulement|contenir "
        r"uniquement|se limiter)",
    ),
    _phrase(
        "tu es |vous êtes ",
        r"\b(?:tu es|vous êtes)\s+(?:maintenant|désormais)\s+(?:un|une|le|la|en)\s+"
        r"(?:assistant|IA\b|modèle|mode\b)",
    ),
    _phrase("réponds pas", r"\bne réponds pas à (?:la|cette) question"),
    _phrase(
        "prompt|système",
        r"\b(?:révèle|répète|affiche|montre|donne)[zr]?\b[^.!?\n]{0,40}\b(?:(?:ton|votre) prompt|"
        r"(?:message|instructions?) (?:du )?système)",
    ),
)
_SPANISH = (
    _phrase(
        "ignor|olvid|haz caso|hagas caso",
        r"\b(?:ignora|ignore|ignorad|olvida|olvide|haz caso omiso de|no hagas caso (?:de|a))\s+"
        r"(?:\w+\s+){0,3}?(?:instrucciones|órdenes|reglas|indicaciones|todo lo)\s+"
        r"(?:anterior(?:es)?|previas?|de arriba|del sistema|dadas|y\b)",
    ),
    _phrase(
        "solo|sólo|únicamente|solamente|exclusivamente|siempre",
        r"\b(?:responde|responda|contesta|conteste|di|diga|escribe|escriba)\s+(?:solo|sólo|únicamente|"
        r"solamente|exclusivamente|siempre)\s+(?:con|la palabra|:|«|\")",
    ),
    _phrase(
        "respuesta debe",
        r"\btu\s+respuesta\s+debe\s+(?:ser solo|empezar|comenzar|contener solo|decir)",
    ),
    _phrase(
        "eres",
        r"\b(?:ahora eres|a partir de ahora eres|eres ahora)\s+(?:un|una|el|la)\s+"
        r"(?:asistente|IA\b|modelo)",
    ),
    _phrase("no respondas", r"\bno respondas (?:a )?(?:la|esta) pregunta"),
    _phrase(
        "prompt|del sistema",
        r"\b(?:revela|repite|muestra|imprime|di)\b[^.!?\n]{0,40}\b(?:tu prompt|(?:mensaje|"
        r"instrucciones) del sistema)",
    ),
)
_CHINESE = (
    _phrase(
        "忽略|无视|忘记|忘掉|不要理会|忽視|無視|忘記",
        r"(?:忽略|无视|忘记|忘掉|不要理会|忽視|無視|忘記)(?:掉|你|您|所有|一切|的)*"
        r"(?:以上|之前|上面|上述|前面|先前|此前)[^。！？\n]{0,8}"
        r"(?:指令|指示|提示|说明|命令|规则|規則|内容|问题|說明)",
    ),
    _phrase(
        "回答|回复|回覆|输出|輸出",
        r"(?<=^|[\s。！？，：；、“「])(?:请|請|你|您)*(?:必须|务必)?(?:只|仅|僅)(?:需|要)?"
        r"(?:回答|回复|回覆|输出|輸出)(?!了|过|者)",
    ),
    _phrase(
        "现在|現在",
        r"(?:你|您)(?:现在|現在)(?:是一个|是一名|是一位|扮演)[^。！？\n]{0,12}"
        r"(?:助手|模型|机器人|AI)",
    ),
    _phrase("从现在", r"从现在(?:开始|起)，?(?:你|您)(?:必须|只能|只)"),
    _phrase("不要回答", r"不要回答(?:这个|该|用户的?|上述)问题"),
    _phrase(
        "系统|系統|提示词",
        r"(?:透露|重复|輸出|输出|显示|泄露|说出)[^。！？\n]{0,10}(?:系统提示|提示词|系统指令|系统消息)"
        r"|(?:系统|系統)(?:提示|指令|消息|命令)[:：]",
    ),
)  # fmt: skip
_RUSSIAN = (
    _phrase(
        "игнорируй",
        r"\b(?:про)?игнорируй(?:те)?\s+(?:[\w-]+\s+){0,3}?(?:инструкци\w+|указани\w+|команд\w+|правила|"
        r"вопрос|вс[её])",
    ),
    _phrase(
        "забудь|не обращай",
        r"\b(?:забудь(?:те)?|не обращай(?:те)? внимания на)\s+(?:[\w-]+\s+){0,3}?"
        r"(?:инструкци\w+|указани\w+|вс[её],? что (?:выше|было|написано))",
    ),
    _phrase(
        "только|лишь|исключительно",
        r"\b(?:ответь|отвечай|скажи|напиши|выведи)(?:те)?\s+(?:только|лишь|исключительно)"
        r"\s*(?:словом|фразой|так|[:«\"“]|\w*\d)",
    ),
    _phrase(
        "ответ должен|ответ обязан",
        r"\b(?:твой|ваш)\s+ответ\s+(?:должен|обязан)\s+(?:начинаться|состоять|содержать только|быть)",
    ),
    _phrase(
        "теперь ты|ты теперь",
        r"\b(?:теперь ты|ты теперь)\s*(?:—|–|-|являешься)\s*(?:\w+\s+){0,2}?"
        r"(?:ИИ|ассистент|бот|модель)",
    ),
    _phrase("отвечай", r"\bне отвечай(?:те)? на (?:этот |заданный )?вопрос\b(?! о)"),
    _phrase(
        "системн",
        r"\b(?:покажи|раскрой|повтори|выведи|назови)(?:те)?\b[^.!?\n]{0,40}\bсистемн\w+ "
        r"(?:промпт|сообщени|инструкци|подсказк)",
    ),
)  # fmt: skip
_MARKUP = (
    Form(
        ("<|", "|>", "inst]", "sys>>", "_of_turn>", "<｜"),
        r"<\|[^\s<>]{1,60}\|?>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^\s<>]{1,60}｜>",
    ),
    _phrase("passage", r"</?passages?(?:-[0-9a-f]{6,})?(?:\s+number=[^>\n]*)?>"),
    _phrase(
        "###", r"(?:^|\n)\s*\#{3}\s*(?:Instruction|Human|Assistant|System)\s*(?::|\#{3})"
    ),
    _phrase(
        "system|assistant",
        r"(?:^|\n)\s*(?:\[|<|\*\*)\s*(?:system|assistant)(?:\s+(?:prompt|message|note))?\s*"
        r"(?:\]|>|:?\*\*)|(?-i:\[SYSTEM[\]:])|(?:^|\n)\s*system\s*:\s*(?:you\b|ignore|"
        r"override|the (?:rules|user)|from now|new )",
    ),
)  # fmt: skip
_COMMENT = (
    _phrase(
        "<!--",
        r"<!--(?=(?:(?!-->)[\s\S]){0,800}+-->)(?:(?!-->)[\s\S]){0,400}?\b(?:"
        r"your (?:reply|response|answer|task|instructions)|"
        rf"you (?:must|should|are)|{_AI}|(?:reply|respond|answer|say)\b\s+\w+|"
        r"ignore (?:the|all|any))(?:(?!-->)[\s\S])*+-->",
    ),
)
FORMS = (*_ENGLISH, *_GERMAN, *_FRENCH, *_SPANISH, *_CHINESE, *_RUSSIAN, *_MARKUP, *_COMMENT)
