"""The words of dates, times and repetition in English and German, in comparable form. Pure."""

from collections.abc import Mapping
from datetime import time

from graphql_api.domain.tasks.model import TaskPriority


def _counted(*synonyms: str, first: int = 1) -> dict[str, int]:
    """Numbers by word: each text has the words of one number."""
    return {word: n for n, words in enumerate(synonyms, first) for word in words.split()}


ENGLISH_WEEKDAYS = _counted(
    "monday mondays mon",
    "tuesday tuesdays tue tues",
    "wednesday wednesdays wed",
    "thursday thursdays thu thur thurs",
    "friday fridays fri",
    "saturday saturdays sat",
    "sunday sundays sun",
    first=0,
)
GERMAN_WEEKDAYS = _counted(
    *("montag mo", "dienstag di", "mittwoch mi", "donnerstag do"),
    *("freitag fr", "samstag sonnabend sa", "sonntag so"),
    first=0,
)
WEEKDAYS = ENGLISH_WEEKDAYS | GERMAN_WEEKDAYS
FULL_WEEKDAYS = tuple(word for word in WEEKDAYS if word.endswith(("day", "tag", "woch", "abend")))
ALSO_WORDS = frozenset({"wed", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so"})
"""Weekdays that are other words, too."""

ON_WEEKDAYS = _counted(
    *("montags", "dienstags", "mittwochs", "donnerstags"),
    *("freitags", "samstags sonnabends", "sonntags"),
    first=0,
)
"""Weekdays on which something is done each week."""

MONTHS = _counted(
    *("january januar jan jänner", "february februar feb", "march märz mar mär maerz"),
    *("april apr", "may mai", "june juni jun", "july juli jul", "august aug"),
    *("september sep sept", "october oktober oct okt", "november nov"),
    "december dezember dec dez",
)
NUMBERS = _counted(
    *("a an one ein eine einem einen einer", "two zwei", "three drei", "four vier"),
    *("five fünf", "six sechs", "seven sieben", "eight acht", "nine neun", "ten zehn"),
    *("eleven elf", "twelve zwölf"),
)
ORDINALS = {
    **_counted(
        *("first ersten erste", "second zweiten zweite zweites", "third dritten dritte drittes"),
        *("fourth vierten vierte viertes", "fifth fünften fünfte fünftes"),
    ),
    **dict.fromkeys(("last", "letzten", "letzte"), -1),
}
SECOND = 2
OTHER = frozenset({"other"})

DAY, WEEK, MONTH, YEAR, MINUTE, HOUR = "day", "week", "month", "year", "minute", "hour"
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("day", "days", "tag", "tage", "tagen"), DAY),
    **dict.fromkeys(("week", "weeks", "woche", "wochen"), WEEK),
    **dict.fromkeys(("month", "months", "monat", "monate", "monaten"), MONTH),
    **dict.fromkeys(("year", "years", "jahr", "jahre", "jahren"), YEAR),
}
SHORT_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("minute", "minutes", "min", "mins", "minuten"), MINUTE),
    **dict.fromkeys(("hour", "hours", "h", "stunde", "stunden"), HOUR),
}
WORKDAYS = frozenset(
    {"weekday", "weekdays", "workday", "workdays", "werktag", "werktage", "arbeitstag"}
)
WEEKENDS = frozenset({"weekend", "weekends", "wochenende"})

TODAY = frozenset({"today", "heute"})
TOMORROW = frozenset({"tomorrow", "tmrw", "morgen"})
OVERMORROW = frozenset({"overmorrow", "übermorgen", "uebermorgen"})
NEXT = frozenset({"next", "nächste", "nächsten", "nächster", "nächstes", "naechsten", "naechste"})
THIS = frozenset(
    {"this", "coming", "diesen", "dieser", "dieses", "diese", "kommenden", "kommender", "kommende"}
)
MONTH_ENDS = frozenset({"monatsende", "eom"})

BEFORE_A_DAY = frozenset(
    {"on", "by", "due", "am", "bis", "zum", "until", "till", "from", "starting", "ab", "fällig"}
)
UNTIL = frozenset({"until", "till", "bis"})
BEFORE_A_TIME = frozenset({"at", "@", "by", "um", "bis", "until", "till", "gegen", "ab", "from"})
BEFORE_A_RANGE = frozenset({"from", "von", "between", "zwischen"})
BEFORE_DAYS = BEFORE_A_RANGE | {"vom"}
WITHIN_DAYS = frozenset({"to", "until", "till", "bis", "-", "\u2013"})
WITHIN_A_RANGE = frozenset({"to", "until", "till", "bis", "and", "und", "-", "\u2013"})
THE = frozenset({"the", "dem", "den"})
AND = frozenset({"and", "und", "&"})
OF = frozenset({"of", "im", "in", "des"})
EVERY = frozenset({"every", "each", "jeden", "jede", "jedes", "jeder", "jedem", "alle"})
TIMES = frozenset({"times", "mal"})

ADVERBS: Mapping[str, str] = {
    **dict.fromkeys(("daily", "täglich", "taeglich"), "FREQ=DAILY"),
    **dict.fromkeys(("weekly", "wöchentlich", "woechentlich"), "FREQ=WEEKLY"),
    **dict.fromkeys(("fortnightly",), "FREQ=WEEKLY;INTERVAL=2"),
    **dict.fromkeys(("monthly", "monatlich"), "FREQ=MONTHLY"),
    **dict.fromkeys(
        ("quarterly", "vierteljährlich", "vierteljaehrlich"), "FREQ=MONTHLY;INTERVAL=3"
    ),
    **dict.fromkeys(("yearly", "annually", "jährlich", "jaehrlich"), "FREQ=YEARLY"),
}

REPEATING = EVERY | ADVERBS.keys() | ON_WEEKDAYS.keys() | {"werktags"}

PARTS_OF_DAY: Mapping[str, time] = {
    **dict.fromkeys(("morning", "früh", "vormittag", "morgens", "vormittags"), time(9)),
    **dict.fromkeys(("noon", "mittag", "mittags", "midday"), time(12)),
    **dict.fromkeys(("afternoon", "nachmittag", "nachmittags"), time(15)),
    **dict.fromkeys(("evening", "night", "abend", "abends"), time(19)),
}
NOON = frozenset({"noon", "midday", "mittags"})
TONIGHT = frozenset({"tonight"})
NIGHT = frozenset({"nacht"})
"""A word for hours of two days, of which neither can be told."""

GOVERNORS = frozenset(
    {
        *("the", "a", "an", "of", "about", "for", "since", "than", "like", "as", "with", "to"),
        *("my", "our", "your", "his", "her", "their", "its", "no", "not", "after", "before"),
        *("is", "was", "and", "or", "between", "last", "every", "each", "next", "this"),
        *("der", "die", "das", "des", "dem", "den", "ein", "eine", "einen", "vom", "von", "für"),
        *("über", "seit", "nach", "vor", "mein", "meine", "meinen", "kein", "keine", "und", "oder"),
        *("guten", "good", "black", "casual", "cyber", "super", "ash", "palm", "easter", "bloody"),
        *(
            "anfang",
            "mitte",
            "mid",
            "ende",
            "end",
            "letzten",
            "letzte",
            "zum",
            "bis",
            "jeden",
            "jede",
            "jedes",
            "alle",
            "im",
            "in",
            "per",
        ),
    }
)
"""Words that make what follows a part of the sentence, and days that are names with them."""
FOLLOWERS = frozenset(
    {
        *("is", "was", "never", "and", "or", "of", "to", "in", "with", "the", "at", "from"),
        *("ist", "war", "nie", "und", "oder", "im", "mit", "der", "die", "das", "des", "von"),
    }
)
"""Words that make what comes before them a part of the sentence."""

PRIORITIES: Mapping[str, TaskPriority] = {
    **dict.fromkeys(("low", "niedrig"), TaskPriority.LOW),
    **dict.fromkeys(("medium", "mittel"), TaskPriority.MEDIUM),
    **dict.fromkeys(("high", "hoch"), TaskPriority.HIGH),
    **dict.fromkeys(("urgent", "dringend"), TaskPriority.URGENT),
}
