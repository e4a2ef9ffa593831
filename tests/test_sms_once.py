"""No SMS goes out twice, whatever happens to the process that sends it."""

import os
import signal

import live
import psutil
from small_firm import SmallFirm

#: The five minutes after which a claim counts as given up, and is looked at again, have passed.
AGE = """
UPDATE sms_sms SET gateway_claimed_at = gateway_claimed_at - interval '5 minutes'
 WHERE uuid = '{uuid}';
UPDATE ir_cron_trigger SET call_at = call_at - interval '5 minutes'
 WHERE call_at > now() AT TIME ZONE 'UTC'
"""


def kill_sender(server, message):
    """Kill the server's process that has this message on its way, without a warning."""
    for process in psutil.Process(server.process.pid).children(recursive=True):
        for connection in process.connections("tcp"):
            if tuple(connection.laddr) == message["peer"]:
                os.kill(process.pid, signal.SIGKILL)
                return
    raise AssertionError("no process of the server has sent this message")


def test_a_killed_worker_leaves_one_message_unknown_and_sends_none_twice():
    """The second of three messages is taken by the gateway, but its sender dies before it knows."""
    with (
        live.SmsGateway() as gateway,
        live.MailServer() as mail,
        live.database("once") as name,
        live.serve(name, *mail.options) as server,
    ):
        gateway.set_up(server)
        firm = SmallFirm(server)
        killed = []

        def kill_second(message):
            if len(gateway.messages) == 2:
                kill_sender(server, message)
                killed.append(message)

        gateway.before_answer = kill_second
        visit_ids = firm.book_due(3)
        live.wait_for(lambda: len(gateway.messages) == 3, "the third message")
        live.change(name, AGE.format(uuid=killed[0]["id"]))

        def get_states():
            domain = [("visit_id", "in", visit_ids)]
            notices = firm.manager.search("crm.visit.notice", domain, "uuid", "state", "visit_id")
            return {notice["uuid"]: notice["state"] for notice in notices}

        live.wait_for(lambda: "queued" not in get_states().values(), "results of all notices")
        states = get_states()
        assert states.pop(killed[0]["id"]) == "unknown"
        assert list(states.values()) == ["sent", "sent"]
        assert len({message["id"] for message in gateway.messages}) == 3
        assert len(gateway.messages) == 3
        domain = [("res_model", "=", "crm.lead"), ("summary", "ilike", "do not know whether")]
        (task,) = live.wait_for(
            lambda: firm.manager.search("mail.activity", domain, "user_id"), "the call task"
        )
        assert task["user_id"][0] == firm.manager.id
