"""What is left of a question when its asking words are gone, cut into clauses.

"mention RLHF and report a human evaluation, but not surveys" are three: verbs and "and" join what
must all hold, "or" and commas what is one of several, and "but not" rules out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.listing.asking import ASK
from rag.listing.bounds import amount_asked
from rag.listing.criteria import Amount, Brings, Clause, Field, IsKind, Topic, Words
from rag.listing.frames import ONLY_ASKS, REMARK
from rag.listing.kinds import BROUGHT, kind_asked
from rag.listing.predicates import AND_VERB, EMPTY, NEGATIVE, SEVERAL_VERBS, VERB
from rag.listing.terms import words_of
from rag.listing.wording import either
from rag.names import is_name_like
from rag.text import squeeze
from rag.words import STOPWORDS

AND = re.compile(
    r"\s+(?:and also|and|as well as|together with|along with|plus|&)\s+|\s*,\s*(?:and\s+)",
    re.IGNORECASE,
)
OR = re.compile(
    r"\s*,\s*(?:or\s+)?|\s+(?:or|and/or|resp\.)\s+|\s+/\s+|(?<=[a-z]{3})/(?=[a-z]{3})",
    re.IGNORECASE,
)
# An aside; what stands in brackets at a sign, or alone, is a formula: O(n^2).
BRACKETS = re.compile(r"(?:(?<=\S)\s+|(?<=[a-z]{3}))\(([^()]*)\)")
QUOTED = re.compile(r"\"([^\"]{2,80})\"|(?<!\w)'([^']{2,80})'(?!\w)")
_WHERE = re.compile(
    r"\b(?:in|within) (?:(?:the|their|its|his) )?(?P<where>titles?|abstracts?|names?)\b"
    r"|\b(?P<head>titles?|abstracts?)(?: that)? (?=contain|with|has|have|mention|say|name|includ"
    r"|start|begin)",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"(?<!call )(?<!calls )(?<!describe )\b(?:itself|themselves|by name|for whatever (?:purpose"
    r"|reason)|in any (?:way|form|sense|variant|version)|(?:in )?(?:any|whatever|every|either) "
    r"(?:variant|version|size|form|flavou?r|kind|edition)s?|version egal|egal welche version"
    r"|explicitly|specifically|somehow|anywhere|at all|somewhere|in passing|literally|verbatim"
    r"|in their (?:experiments|evaluation|work|paper|text)|in the text|of any kind)\b",
    re.IGNORECASE,
)
_KIND_ASIDE = re.compile(
    r"^\W*(?:except(?: for)?|excluding|other than|apart from|besides|not counting|leaving out) "
    r"(?P<kind>[\w -]{4,30}?),? (?:(?:that|which|who) |(?=on\b|about\b|mention))",
    re.IGNORECASE,
)


def clauses(rest: str, question: str) -> Iterator[Clause]:
    """The clauses of *rest*, what is left of *question*.

    >>> [clause.negated for clause in clauses("mention GPT-4 but not GPT-3", "which papers …")]
    [False, True]
    """
    rest = _active(SEVERAL_VERBS.sub(lambda found: found["last"], rest))
    aside = _KIND_ASIDE.match(rest)
    if aside and (ruled_out := kind_asked(aside["kind"])):  # "except surveys, that mention X"
        yield Clause((IsKind(ruled_out[0].name),), negated=True)
        rest = rest[aside.end() :]
    kind = kind_asked(rest)
    is_noun = kind is not None and kind[0].name != "open release" and kind[1][0] == 0
    if kind and is_noun and VERB.match(rest[kind[1][1] :]):  # "surveys that mention X"
        yield Clause((IsKind(kind[0].name),))
        rest = squeeze(rest[kind[1][1] :])
    positive, *negative = NEGATIVE.split(rest)
    verb = VERB.match(positive)
    for number, part in enumerate(AND_VERB.split(positive)):
        again = number and verb and _NAMED_AGAIN.match(part)  # "evaluate on X and also on Y"
        yield from _clause(f"{verb[0]}{again['name']}" if again and verb else part, question)
    for part in negative:
        # "mention A but not B": what is ruled out is ruled out in the same way
        said = part if VERB.match(part) else f"{verb[0] if verb else ''}{part}"
        thing = _singular(re.sub(r"^(?:the|any|all|new) ", "", part.lower().strip(" .?!")))
        if thing in BROUGHT:
            yield Clause((Brings(thing),), negated=True)
            continue
        if _GERUND.match(part) and not _GERUND.match(positive):  # "but not training recipes"
            said = f"{verb[0] if verb else 'about '}{part}"
        yield from (replace(clause, negated=True) for clause in _clause(said, question))


_NAMED_AGAIN = re.compile(r"^\W*(?:on|with|for|against|to) (?P<name>(?=[A-Z]).+)$")
_GERUND = re.compile(r"^\W*[a-z]+ing [a-z]", re.IGNORECASE)
_PASSIVE_VERBS = {
    "mentioned": "mention", "named": "mention", "cited": "mention", "used": "use",
    "discussed": "discuss", "evaluated on": "evaluate on", "introduced": "introduce new",
    "proposed": "propose new", "released": "release new", "presented": "present new",
    "contributed": "contribute new", "created": "create new", "employed": "use", "applied": "use",
    "reported": "mention", "evaluated": "use", "tested": "use", "covered": "discuss",
}  # fmt: skip
_PASSIVE = re.compile(
    rf"^(?P<what>.+?) (?:(?:is|are|was|were|be|being|gets?) )*(?P<verb>{'|'.join(_PASSIVE_VERBS)})"
    r"(?: (?:across|in|by|here)\b(?: (?:the|all|these|this|our|any(?:body|one)?|people|others?)"
    r"(?: (?:of (?:the|these) )?(?:papers?|abstracts?|collection|corpus))?)?)*(?P<more>(?: (?:for|of|about|on) .+)?)$",
    re.IGNORECASE,
)


_APPEARS = re.compile(
    r"^(?P<what>\S.{0,80}?) (?:appears?|occurs?|(?:turn|come|show|pop|crop)s? up|gets? mentioned"
    r"|(?:can|may|could|is|are) (?:to )?(?:be )?(?:found|seen|read|spotted|present"
    r"|mentioned))(?: in)?$",
    re.IGNORECASE,
)


_IS_A_THING = re.compile(  # "(papers that) ship as a Python package"
    r"^(?:(?:whose )?(?:main|only|key|primary|central|chief) (?:contribution|outcome|product"
    r"|result) is )?(?:(?:are|is|or|and|themselves|actually|ships?|comes?|packaged|offered"
    r"|distributed|available"
    r"|released) )*(?:as )?(?:an?|their own) (?P<what>(?:[\w/+#-]+ ){0,4}?(?:package|library"
    r"|toolkit"
    r"|tool|benchmark|dataset|data set|corpus|framework|software|leaderboard)\b.*)$",
    re.IGNORECASE,
)


def _active(rest: str) -> str:
    """ "benchmarks introduced here for code" as "introduce new benchmarks for code"."""  # noqa: D210
    if appears := _APPEARS.match(rest):  # "(in which papers does) ImageNet appear"
        return f"mention {appears['what']}"
    if thing := _IS_A_THING.match(rest):
        return f"introduce new {thing['what']}"
    found = _PASSIVE.match(rest)
    if not found or VERB.match(rest):
        return rest
    return squeeze(f"{_PASSIVE_VERBS[found['verb'].lower()]} {found['what']}{found['more']}")


_WORD_ITSELF = re.compile(
    r"\b(?:words?|terms?|phrases?|expressions?|acronyms?|abbreviations?)\b", re.IGNORECASE
)


def _clause(part: str, question: str) -> Iterator[Clause]:
    """One predicate with its object, as one clause or more."""
    starting = _at_start(part, "any")
    if starting:
        yield starting
        return
    told = bool(_IN_TEXT.search(part))
    where, part = _field(part)
    part = squeeze(_IDLE.sub(" ", part))
    verb = VERB.match(part)
    rest = part[verb.end() :] if verb else part
    negated = bool(verb and verb["not"])
    amount = amount_asked(part, question)
    if amount:
        yield from _amount(amount, part, question, negated=negated)
        return
    kind = _kind(part, where)
    if verb and verb["mention"] and not (kind and verb["mention"].lower().startswith("sa")):
        exact = bool(_WORD_ITSELF.search(part))
        made = _mentioned(rest, Words((), where, exact=exact))
    elif QUOTED.search(rest) and not (verb and verb["use"]):
        made = _mentioned(rest, Words((), where))
    elif kind:
        made = kind
    elif (verb and (verb["bring"] or _NEW_THING.match(rest))) or (
        not verb and _BROUGHT_NOUN.match(rest)
    ):
        made = _brought(rest)
    elif verb and verb["use"]:
        made = _used(rest, where)
    elif verb and verb["about"].lower() in _HOLDING and _is_named(rest):  # "with T5 as the base"
        made = _mentioned(_BESIDE_NAME.sub("", rest), Words((), where, used=True))
    elif told or where != "any":
        made = _mentioned(rest, Words((), where))
    else:
        made = _topic(rest)
    yield from (replace(clause, negated=negated or clause.negated) for clause in made)


_NEW_THING = re.compile(r"^(?:an?|their|its) (?:brand-)?(?:new|novel|own) ", re.IGNORECASE)
_HOLDING = frozenset("with in from".split())
_BESIDE_NAME = re.compile(r" (?:as|in) (?:it|them|an?|the|its|their|one)\b.*$", re.IGNORECASE)


def _is_named(rest: str) -> bool:
    return any(is_name_like(word) for word in rest.split()[:2])


def _amount(
    amount: tuple[Amount, str], part: str, question: str, *, negated: bool
) -> Iterator[Clause]:
    """A clause for *amount*, with what is left of *part*: a second one, a kind, or a subject."""
    found, left = amount
    before = None if left else _TOLD_BEFORE.match(part)
    if before and (before["on"] or not VERB.match(part)):
        again = amount_asked(part[before.end() :], question) or amount
        found, left = again[0], before["topic"]
    yield Clause((found,), negated)
    if amount_asked(left, left):  # "over 7B parameters trained on over 1T tokens"
        yield from _clause(left, left)
    else:
        yield from _kind(left, "any") or _subject(left)


_TOLD_BEFORE = re.compile(  # "on LLM serving that give gains of over 2x"
    r"^\W*(?P<on>(?:on|about|for|regarding) )?(?P<topic>[^,\d]+?),? (?:that|which|with|where|who"
    r"|reporting|achieving|claiming|giving|showing)\b",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(r"\bin (?:the|their|its) (?:abstracts?|titles?|text)\W*$", re.IGNORECASE)
_STARTS = re.compile(
    r"^\W*(?:(?:whose|with|have|has|having|a|the|an|in|that|which) )*(?:(?P<what>titles?|abstracts?"
    r"|names?) )?(?:(?:that|which|to) )?(?P<not>(?:do|does|don't|doesn't) ?(?:not )?)?"
    r"(?:starts?|begins?|starting|beginning) (?:out )?with\b"
    r"(?: (?:the|an?))?(?: (?:words?|phrase|term|letters?))?(?P<object>.+)$",
    re.IGNORECASE,
)
_MOST_WORDS_AT_START = 3  # more of them, not quoted, tell how something is done


def _at_start(part: str, where: Field) -> Clause | None:
    """What the title or the abstract begins with, if *part* asks for that."""
    found = _STARTS.match(part)
    if not found:
        return None
    said = found["object"]
    quoted = [double or single for double, single in QUOTED.findall(said)]
    names = quoted or list(filter(None, map(form_of, OR.split(said))))
    named = found["what"] or where == "title" or quoted or said.strip()[:1].isupper()
    if not names or not named or any(len(name.split()) > _MOST_WORDS_AT_START for name in names):
        return None
    field: Field = "any" if (found["what"] or "").lower().startswith("abstract") else "title"
    wanted = Words(tuple((name,) for name in names), field, at_start=True, exact=True)
    return Clause((wanted,), negated="n't" in (found["not"] or "") or "not" in (found["not"] or ""))


def _field(part: str) -> tuple[Field, str]:
    """Where the words must stand, and *part* without saying so."""
    found = _WHERE.search(part)
    if not found:
        return "any", part
    said = (found["where"] or found["head"]).lower()
    where: Field = "title" if said.startswith(("title", "name")) else "any"
    return where, squeeze(f"{part[: found.start()]} {part[found.end() :]}")


# --- literal words -------------------------------------------------------------------------------

_GENERIC = frozenset(
    """
    model models dataset datasets data set sets benchmark benchmarks corpus suite task tasks test
    game games family series method methods algorithm algorithms system systems framework library
    gpu gpus architecture architectures technique techniques language languages version versions
    leaderboard optimizer paper papers numbers scores results figures card cards chip chips hardware
    accelerator accelerators licence license programming corpora server servers competition exam
    exams tests problems questions environment environments simulator toolkit package compiler api
    """.split()
)
# Who makes a model is said with its name or not: "OpenAI Codex".
_MAKERS = frozenset(
    """
    openai google meta facebook microsoft nvidia deepmind anthropic apple amazon alibaba huggingface
    ibm baidu tencent huawei salesforce bytedance
    """.split()
)
_BEFORE_NAME = either(
    "words? terms? phrases? expressions? name acronym dataset data_set benchmark model optimizer",
    "library",
)
_ARTICLES = re.compile(
    r"^(?:(?:the|an?|any|at least one|one or more|(?:top )?of|on|to|in|from|some|both|either|all|such|things like"
    r"|(?:urls?|links?|references?) to|(?:data|code|questions|tasks|problems) (?:from|of)"
    r"|something (?:like|called)|what is called|(?:models?|benchmarks?|datasets?) (?:like|such as)"
    rf"|(?:the )?{_BEFORE_NAME}(?= [A-Z\"'])|(?:the )?(?:words?|terms?|phrases?"
    r"|expressions?|acronyms?|abbreviations?)) )+",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\b(?:and so on|and such|etc\.?|e\.?g\.?,?|i\.?e\.?,?|for example|for instance|such as|like"
    r"|including|or similar|and the like)\b|\.\.\.|…",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s+(?:in|for|within|as|during|at|across|throughout|among|to|when|while)"
    r" (?:(?:the|their|its|an?|any|whatever|some|all) )?"
    r"(?:papers?|abstracts?|work|experiments?|evaluations?|text|collection|baselines?|comparison"
    r"|example|purpose|motivation|way|form|place|one|training|intro\w*)\b.*$"
    r"|,? (?:whatever|no matter|regardless|including|even if)\b.*$",
    re.IGNORECASE,
)
_MOST_WORDS_IN_BRACKETS = 4  # more of them are a remark, not another name


def _mentioned(rest: str, wanted: Words) -> Iterator[Clause]:
    """*wanted* with what *rest* names: alternatives joined by "or", or several clauses."""
    quoted = [double or single for double, single in QUOTED.findall(rest)]
    _, colon, after = rest.partition(":")
    if colon and after.split() and after.split()[0].strip(",;") != after.split()[0].lower().strip(",;"):
        rest = after  # "cite models by name: GPT-3, GPT-4"
    if quoted:
        joined = bool(AND.search(QUOTED.sub("#", rest))) or "both" in rest
        for group in [[phrase] for phrase in quoted] if joined else [quoted]:
            names = tuple((phrase,) for phrase in group)
            yield Clause((replace(wanted, alternatives=names, exact=True),))
        return
    beside = [form for inside in BRACKETS.findall(rest) for form in _bracketed(inside)]
    for number, part in enumerate(AND.split(_cut_tail(BRACKETS.sub(" ", rest)))):
        forms = [name for name in map(form_of, OR.split(part)) if _names_something(name)]
        forms += [] if number else beside
        if forms:
            yield Clause((replace(wanted, alternatives=tuple(_spellings(forms))),))


_NOTHING = frozenset("so it this that them".split())  # "… and says so"


def _names_something(name: str) -> bool:
    """Whether *name* is more than a pronoun or words that ask once more: "just the count"."""
    return bool(name) and name not in _NOTHING and not (" " in name and ONLY_ASKS.match(name))


def _bracketed(inside: str) -> Iterator[str]:
    """Other names in brackets: an acronym, a spelled-out form, examples; not a remark."""
    for part in OR.split(_LISTED.sub(" ", inside)):
        form = form_of(part)
        remark = REMARK.search(part) or _IDLE.search(part) or ONLY_ASKS.match(part)
        if form and len(form.split()) <= _MOST_WORDS_IN_BRACKETS and not remark:
            yield form


def form_of(part: str) -> str:
    """A name or words without article and quotes.

    >>> form_of('the "T5" '), form_of("the dataset GSM8K")
    ('T5', 'GSM8K')
    """
    form = _ARTICLES.sub("", squeeze(part).strip(" ,.;:?!\"'"))
    return _ARTICLES.sub("", form).strip("\"'")


def _spellings(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """For each of *names* the spellings to try, best first.

    A modifier stands for all that "or" joins ("emergent abilities or capabilities"), and what a
    name is ("the Atari games", "the T5 model") need not be said with it.
    """
    modifier = names[0].split()[:-1]
    for place, name in enumerate(names):
        *before, last = name.split()
        tried = [name]
        if place and modifier and not before and name.islower():
            tried.insert(0, " ".join((*modifier, name)))
        if (shorter := _without_generic(name)) != name:
            tried = [shorter] if is_name_like(shorter.split()[-1]) else [*tried, shorter]
        yield tuple(tried)
        made = before and before[0].lower().removesuffix("'s") in _MAKERS
        if made and (*before[1:], last)[0][:1].isupper():
            yield (" ".join((*before[1:], last)),)


def _without_generic(name: str) -> str:
    """*name* without what it is: "the T5 model", "the Julia programming language"."""
    words = name.split()
    while len(words) > 1 and words[-1].lower() in _GENERIC:
        words.pop()
    return " ".join(words) if re.search(r"[A-Z\d]", words[-1]) else name


def _cut_tail(text: str) -> str:
    return squeeze(_TAIL.sub(" ", text)).strip(" ,.;:?!")


_USED_WITH = re.compile(
    r"^(?:(?:with|on|using|from|against|to|by|via|through|in|under)\s+)+", re.IGNORECASE
)
_FROM_NAME = re.compile(
    r"^(?P<what>[a-z][\w -]{3,60}?) (?:from|with|on|for|of|to|in) (?P<name>.+)$"
)
_NAME_ON = re.compile(
    r"^(?P<name>(?=\S*[A-Z])[\w.+-]+(?: (?=\S*[A-Z\d])[\w.+-]+)*) (?:on|for|in|to|when)"
    r" (?P<what>[a-z].+)$"
)
_LONG_OBJECT = re.compile(r"\b(?:for|to|that|which|when|where|in order|by|of)\b", re.IGNORECASE)
_MOST_WORDS_USED = 7  # a longer object describes, and is not looked for word by word


def _used(rest: str, where: Field) -> Iterator[Clause]:
    """What is used or evaluated on: a name or a short phrase is looked for, more is a topic."""
    rest = _USED_WITH.sub("", rest)
    if rest[:1].isupper():  # "Llama 2 as their base model"
        rest = _BESIDE_NAME.sub("", rest)
    plain = _cut_tail(BRACKETS.sub(" ", rest))
    names = any(is_name_like(word) or word[:1].isupper() for word in plain.split())
    both = _FROM_NAME.match(plain)
    apart = _NAME_ON.match(plain)
    if apart and not AND.search(plain) and not OR.search(plain):  # "evaluate ChatGPT on exams"
        yield Clause((Words(((apart["name"],),), where, used=True),))
        yield from _subject(apart["what"])
        return
    wanted = Words((), where, used=True)
    if both and is_name_like(both["name"].split()[0]):  # "use distillation from GPT-4"
        yield from _mentioned(both["what"], wanted)
        yield from _mentioned(both["name"], wanted)
    elif (_LONG_OBJECT.search(plain) and not names) or len(plain.split()) > _MOST_WORDS_USED:
        yield from _topic(rest)
    else:
        yield from _mentioned(rest, wanted)


# --- kinds, and what is brought ------------------------------------------------------------------

_BROUGHT_NOUN = re.compile(
    r"^(?:\w+ )*?(?:benchmarks|datasets|data sets|corpora|leaderboards|optimizers|libraries"
    r"|toolkits)\b(?! (?:of|like) [A-Z])",
    re.IGNORECASE,
)
_HEAD_END = re.compile(
    r"\s(?:(?:target|cover|test|measur|assess|evaluat|focus|contain)\w*|has|have|are|for|of|on|to"
    r"|that|which|with|in|about|from|where|by|aimed|designed|based|using|specifically)\b",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"^(?:(?:an?|the|their|its|own|new|novel|first|original|some|any|several|two|three|public|open"
    r"|open-source|at least one|one|more|completely|brand-new)\s+)+",
    re.IGNORECASE,
)
_HOSTS = frozenset("github huggingface gitlab zenodo kaggle".split())  # where code is put
_PLAIN_METHOD = frozenset(  # nearly all papers bring one
    """
    method methods approach approaches technique techniques way ways algorithm algorithms solution
    solutions strategy strategies idea ideas paradigm scheme recipe mechanism mechanisms
    """.split()
)


def _kind(part: str, where: Field) -> Iterator[Clause] | None:
    """A clause for the kind of paper that *part* asks for and one for its subject, if it does."""
    asked = kind_asked(part)
    if not asked:
        return None
    kind = asked[0]
    rest = re.sub(r"^\W*(?:/|or|and)\W", " ", squeeze(kind.asked.sub(" ", part)))
    clause = Clause((IsKind(kind.name, where),))
    place = _PREPOSITIONS.sub("", squeeze(rest))
    if place.lower() in _HOSTS:
        return iter((clause, Clause((Words(((place,),)),))))
    return _with_subject(clause, rest)


_RELEASED = frozenset("repo repository code weight checkpoint".split())


def _brought(rest: str) -> Iterator[Clause]:
    """What a paper brings: the noun, and what it is for or of as a topic."""
    plain = squeeze(BRACKETS.sub(" ", rest))
    cut = _HEAD_END.search(plain)
    head, tail = (plain[: cut.start()], plain[cut.start() :]) if cut else (plain, "")
    words = _NEW.sub("", head.strip()).split()
    if not words:
        return _topic(rest)
    if words[-1].lower() in _PLAIN_METHOD:
        return _topic(" ".join((*words[:-1], tail)).strip())
    *others, last = re.split(r" (?:or|and/or|/) ", " ".join(words))
    noun, modifiers = _noun_and_modifiers(last.split())
    if noun in _RELEASED:
        return iter((Clause((IsKind("open release"),)),))
    beside = [_noun_and_modifiers(_NEW.sub("", other).split()) for other in others]
    brought = tuple(Brings(each) for each in (*(each for each, _ in beside), noun))
    modifiers = (*(word for _, words in beside for word in words), *modifiers)
    if len(modifiers) == 1 and not tail.strip() and modifiers[0][:1].isupper():  # "a Python tool"
        return iter((Clause(brought), Clause((Words(((modifiers[0],),)),))))
    return _with_subject(Clause(brought), " ".join((*modifiers, tail)))


def _noun_and_modifiers(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The longest known noun at the end of *words*, in the singular, and the words before it."""
    for count in (2, 1):
        noun = " ".join(_singular(word.lower()) for word in words[-count:])
        if len(words) >= count and noun in BROUGHT:
            return noun, words[:-count]
    return _singular(words[-1].lower()), words[:-1]


def _singular(word: str) -> str:
    if word == "corpora":
        return "corpus"
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _with_subject(clause: Clause, rest: str) -> Iterator[Clause]:
    yield clause
    yield from _subject(rest)


# --- topics --------------------------------------------------------------------------------------

_PREPOSITIONS = re.compile(
    r"^(?:(?:(?:the )?(?:subject|theme|topic|issue|matter) of|on|about|around|of|for|in|with"
    r"|that|which|are|is|to|from|covering|regarding|concerning"
    r"|related to|dealing with|deal with|research on|exist(?:s|ing)?(?= (?:about|on|for)\b)"
    r"|relat(?:ed|ing) to|look(?:ing)? into|having|who|a|an|the|and|or|using|aimed at|at|by"
    r"|where|as"
    r"|work on|focus(?:ed|ing)? on|specifically|specially|target(?:s|ing)?|test(?:s|ing)"
    r"|evaluating|measuring|assessing)\s+)+",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"(?:\s+(?:to (?:train|tune|use|test|evaluate|run|work|build)(?: (?:on|with|it|them))?|with"
    r"|of|for|on|in|at|to|that|which|have|has|are|is|and|or|by|from|the|a|an))+$",
    re.IGNORECASE,
)
_AREA = re.compile(
    r" (?:field|area|domain|community|literature|topic|work|works|research|stuff)$", re.IGNORECASE
)
_OTHER_THAN = re.compile(
    r"^(?P<head>.+?) (?:for|of|in|on) (?:something|anything|things|stuff|domains?|tasks?|data"
    r"|models?|settings?) (?:other than|besides|beyond|but|except|apart from|outside(?: of)?)"
    r" [^:(,]+[:(,]?\s*(?P<examples>.*?)\)?$",
    re.IGNORECASE,
)
_BOTH = re.compile(r"^both (.+?) (?:and|as well as) (.+)$", re.IGNORECASE)
_SUCH_AS = re.compile(
    r",?\s+(?:such as|like|e\.g\.,?|including|for example|for instance)\s+", re.IGNORECASE
)
_PRONOUN = re.compile(r"\b(?:it|them|that|this|these|those)\b", re.IGNORECASE)
_TOPIC_OR = re.compile(r"\s*,\s*(?:(?:and|or)\s+)?|\s+(?:or|and/or)\s+|\s+/\s+|(?<=[A-Za-z]{3})/(?=[A-Za-z]{3})", re.IGNORECASE)


_NO_SUBJECT = frozenset("none nothing nobody anything something everything".split())


def _subject(rest: str) -> Iterator[Clause]:
    """A topic of what is left of a clause, if that says anything."""
    left = _PREPOSITIONS.sub("", squeeze(rest).strip(" ,.;:?!-/()"))
    if any(word.lower() not in EMPTY | STOPWORDS | ASK for word in words_of(left)):
        yield from _topic(left)


def _topic(rest: str) -> Iterator[Clause]:
    """Topics: "X or Y" is one with alternatives, "both X and Y" are two."""
    if other := _OTHER_THAN.match(rest):  # "scaling laws for something other than text: images, …"
        yield from _topic(other["head"])
        others = tuple((phrase,) for phrase in _phrases(other["examples"]))
        yield Clause((Words(others),) if others else ())
        return
    if both := _BOTH.match(rest):
        yield from (clause for part in both.groups() for clause in _topic(part))
        return
    inside = " , ".join(BRACKETS.findall(rest))
    plain, _, after = squeeze(BRACKETS.sub(" ", rest)).partition(":")
    plain, *more = _SUCH_AS.split(plain, maxsplit=1)
    listed = [inside, "" if _PRONOUN.search(after) else after, *more]
    examples = [phrase for part in listed for phrase in _phrases(_LISTED.sub(" ", part))]
    alternatives = _phrases(_with_heads(plain))
    alternatives += [part for part in _joined_topics(plain) if part not in alternatives]
    if alternatives:
        text = _PREPOSITIONS.sub("", _DANGLING.sub("", squeeze(plain).strip(" ,.;:?!-")))
        yield Clause((Topic(text, tuple(alternatives), tuple(examples)),))


def _joined_topics(text: str) -> list[str]:
    """The parts of two topics that "and" joins: "recommender systems and CTR prediction"."""
    parts = [_PREPOSITIONS.sub("", part.strip(" ,.;:?!-")) for part in text.split(" and ")]
    if len(parts) != 2 or any(map(_TOPIC_OR.search, parts)) or not all(parts):
        return []
    sizes = [len(words_of(part)) for part in parts]
    whole = all(size > 1 or is_name_like(part) for size, part in zip(sizes, parts, strict=True))
    return parts if max(sizes) <= 3 and (whole or max(sizes) == 1) else []


def _with_heads(text: str) -> str:
    """ "parallel / HPC code" as "parallel code / HPC code"."""  # noqa: D210
    parts = re.split(r"\s+/\s+", text)
    head = _DANGLING.sub("", parts[-1]).split()
    if len(parts) == 1 or len(head) < 2:
        return text
    return " / ".join((*(f"{part} {head[-1]}" for part in parts[:-1]), parts[-1]))


_MOST_WORDS_APART = 9


def _describes(text: str) -> bool:
    """Whether *text* is a description in which "or" joins only a few of its words."""
    return len(text.split()) > _MOST_WORDS_APART and "," not in text


_SAYS_WHERE = re.compile(r" (?:for|in|of|on|about) (?!the$).+$", re.IGNORECASE)


def _shared(phrases: Sequence[str]) -> list[str]:
    """*phrases* with the end of the last one on those that say nothing without it.

    >>> _shared(["LLMs", "embeddings for finance"])
    ['LLMs for finance', 'embeddings for finance']
    """
    end = _SAYS_WHERE.search(phrases[-1]) if phrases else None
    if not end:
        return list(phrases)
    empty = EMPTY | {"embeddings", "agents", "transformers"}
    return [f"{p}{end[0]}" if empty.issuperset(p.lower().split()) else p for p in phrases]


def _phrases(text: str) -> list[str]:
    """The alternatives in *text*, without leading prepositions and articles, each once."""
    said = [text] if _describes(text) else _TOPIC_OR.split(text)
    parts = (squeeze(part).strip(" ,.;:?!-()\"'") for part in said)
    bare = [_AREA.sub("", _DANGLING.sub("", _PREPOSITIONS.sub("", part))) for part in parts]
    found = [
        part
        for part in bare
        if len(part) > 1 and not ONLY_ASKS.match(part) and part.lower() not in _NO_SUBJECT
    ]
    last = found[-1].split() if found else []
    if len(last) > 1 and last[0].endswith("ing"):  # "selecting or filtering data": selecting data
        tail = " ".join(last[1:])
        found = [f"{p} {tail}" if p.endswith("ing") and " " not in p else p for p in found]
    return list(dict.fromkeys(_shared(found)))
