"""A firm that works with the last released version comes to this one."""

import io
import subprocess
import tarfile

import live
import neighbour
from small_firm import SmallFirm

#: The commit of the last released version, 19.0.1.0.0.
RELEASED = "5bd2e73"


def git(*arguments):
    """Return what git prints about this repository, or nothing where it fails."""
    command = ["git", "-C", live.ROOT, *arguments]
    return subprocess.run(command, capture_output=True, check=False).stdout


def read_texts(name, template):
    """Return the text of a delivered SMS template in English and in Ukrainian."""
    (texts,) = live.sql(
        name,
        f"""SELECT body->>'en_US', body->>'uk_UA' FROM sms_template WHERE id = (
            SELECT res_id FROM ir_model_data
             WHERE module = 'crm_wholesale' AND name = '{template}')""",
    )
    return texts


def read_visits(name):
    """Return what the released version knows of each visit."""
    columns = "id, name, state, lead_id, measurer_id, start, stop, tz, phone, street, revision"
    return live.sql(name, f"SELECT {columns} FROM crm_visit ORDER BY id")


# A copy of the sources without their history has nothing to upgrade from.
if git("cat-file", "-t", RELEASED).strip() == b"commit":

    def test_upgrading_from_the_last_release_keeps_everything(tmp_path):
        with tarfile.open(fileobj=io.BytesIO(git("archive", RELEASED))) as archive:
            archive.extractall(tmp_path, filter="data")
        released = f"--addons-path={tmp_path}"
        names = sorted(path.parent.name for path in tmp_path.glob("*/__manifest__.py"))
        with neighbour.firm_with_plain_odoo("upgrade") as name:
            live.odoo(name, released, "-i", ",".join(names))
            with live.serve(name, released) as server:
                firm = SmallFirm(server)
                visit_ids = firm.book_due(2)
                server.admin.write("crm.team", [firm.team_id], name="Our wholesale")
                (ukrainian,) = server.admin.search(
                    "res.lang", [("code", "=", "uk_UA"), ("active", "=", False)]
                )
                language = server.admin.create(
                    "base.language.install", lang_ids=[(6, 0, [ukrainian["id"]])]
                )
                server.admin.call("base.language.install", "lang_install", [language])
                moved = server.admin.ref("crm_wholesale.sms_template_visit_moved")
                server.admin.write("sms.template", [moved], body="Our own words")
            before, rows = read_visits(name), neighbour.read_rows(name)
            assert "customer_url" not in "".join(read_texts(name, "sms_template_visit_reminder"))
            assert [int(row[0]) for row in before] == visit_ids

            live.odoo(name, "-u", ",".join(names), "-i", ",".join(live.dev.find_addons()))

            assert read_visits(name) == before
            assert neighbour.compare(rows, neighbour.read_rows(name)) == []
            with live.database("fresh") as fresh:
                lacking = neighbour.read_catalogue(fresh) - neighbour.read_catalogue(name)
            assert lacking == {"team: Wholesale"}  # which is called "Our wholesale" here
            for text in read_texts(name, "sms_template_visit_reminder"):
                assert "customer_url" in text
            assert read_texts(name, "sms_template_visit_moved")[0] == "Our own words"
            with live.serve(name) as server:
                manager = server.login("manager")
                visit = manager.read("crm.visit", visit_ids[1], "start", "notice_ids")
                assert visit["notice_ids"]
                manager.call("crm.visit", "action_confirm", visit_ids)
                assert server.complaints() == []
