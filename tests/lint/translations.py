"""Translation templates and translations of our addons: write them, or check them.

    translations.py write|check DATABASE ADDON...

The addons must be installed in the database. ``write`` exports each addon's template and merges
it into its uk.po and ru.po, which keep what is translated. ``check`` changes nothing, prints what
is missing or stale and exits with 1 if anything is. ``./dev pot`` and ``./dev lint`` run this.
"""

import io
import re
import sys
from pathlib import Path

import polib

import odoo
from odoo.modules.registry import Registry
from odoo.tools.translate import trans_export

ROOT = Path(__file__).parents[2]
LANGUAGES = ("uk", "ru")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\$\{\w+\}|\{\{.*?\}\}")
DATES = ("POT-Creation-Date", "PO-Revision-Date")
HEADER = {
    "uk": {
        "Language": "uk",
        "Plural-Forms": (
            "nplurals=4; plural=(n % 1 == 0 && n % 10 == 1 && n % 100 != 11 ? 0 : n % 1 == 0 && "
            "n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : n % 1 == 0 && "
            "(n % 10 == 0 || (n % 10 >= 5 && n % 10 <= 9) || (n % 100 >= 11 && n % 100 <= 14)) ? "
            "2 : 3);"
        ),
    },
    "ru": {
        "Language": "ru",
        "Plural-Forms": (
            "nplurals=4; plural=(n % 10 == 1 && n % 100 != 11 ? 0 : n % 10 >= 2 && n % 10 <= 4 && "
            "(n % 100 < 12 || n % 100 > 14) ? 1 : n % 10 == 0 || (n % 10 >= 5 && n % 10 <= 9) || "
            "(n % 100 >= 11 && n % 100 <= 14) ? 2 : 3);"
        ),
    },
}


def export(env, addon):
    """Return the addon's template as polib reads it, without dates; None if it has no terms."""
    buffer = io.BytesIO()
    if not trans_export(None, [addon], buffer, "po", env):
        return None
    template = polib.pofile(buffer.getvalue().decode())
    for name in DATES:
        template.metadata.pop(name, None)
    return template


def read(path):
    """Return a translation file, or None if there is none."""
    return polib.pofile(str(path)) if path.exists() else None


def content(template):
    """Return what makes two templates the same, whatever their headers say."""
    return {(entry.msgid, entry.comment): sorted(entry.occurrences) for entry in template}


def merge(template, old, language):
    """Return the template's terms with what the old file translates."""
    merged = polib.POFile(wrapwidth=template.wrapwidth)
    merged.header = template.header
    merged.metadata = {**template.metadata, **HEADER[language]}
    known = {entry.msgid: entry for entry in old or []}
    for entry in template:
        before = known.get(entry.msgid)
        merged.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgstr=before.msgstr if before else "",
                comment=entry.comment,
                occurrences=entry.occurrences,
                flags=before.flags if before else [],
            )
        )
    return merged


def write(addon, template):
    """Write the addon's template and merge it into its translations."""
    folder = ROOT / addon / "i18n"
    folder.mkdir(exist_ok=True)
    template.save(str(folder / f"{addon}.pot"))
    for language in LANGUAGES:
        path = folder / f"{language}.po"
        merged = merge(template, read(path), language)
        merged.save(str(path))
        missing = sum(1 for entry in merged if not entry.translated())
        print(f"{path.relative_to(ROOT)}: {len(merged)} terms, {missing} not translated")
    return []


def check(addon, template):
    """Return what is missing or stale in the addon's translations, as sentences."""
    folder = ROOT / addon / "i18n"
    stored = read(folder / f"{addon}.pot")
    if not stored or content(stored) != content(template):
        return [f"{addon}/i18n/{addon}.pot is not up to date: run ./dev pot"]
    problems = []
    for language in LANGUAGES:
        name, translation = f"{addon}/i18n/{language}.po", read(folder / f"{language}.po")
        if not translation:
            problems.append(f"{name} is missing: run ./dev pot and translate it")
            continue
        entries = {entry.msgid: entry for entry in translation if not entry.obsolete}
        for msgid in {entry.msgid for entry in template} - set(entries):
            problems.append(f"{name} lacks {msgid!r}: run ./dev pot and translate it")
        for msgid, entry in entries.items():
            if not entry.translated():
                problems.append(f"{name} does not translate {msgid!r}")
            elif sorted(PLACEHOLDER.findall(msgid)) != sorted(PLACEHOLDER.findall(entry.msgstr)):
                problems.append(f"{name} has other placeholders than {msgid!r}")
    return problems


def main(mode, database, *addons):
    """Do what the command line says; return the exit code."""
    odoo.tools.config.parse_config(["-d", database, "--no-http", "--log-level=warn"])
    act = {"write": write, "check": check}[mode]
    problems = []
    with Registry(database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {})
        for addon in addons:
            template = export(env, addon)
            if template is not None:
                problems += act(addon, template)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
