import base64
import json
import pathlib
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import hookswitch  # noqa: E402

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTITY = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SENT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**changed):
    given = {"Webhook-Id": IDENTITY, "webhook-timestamp": str(SENT), "WEBHOOK-SIGNATURE": SIGNATURE}
    return {**given, **{name.replace("_", "-"): value for name, value in changed.items()}}


def event(seq, era=None, object_id=1, events_id="clients.update"):
    whole = {"events_id": events_id, "object_id": object_id, "seq": seq}
    return {"event": whole if era is None else {**whole, "era": era}}


class Verify(unittest.TestCase):
    def test_a_genuine_call_gives_its_payload_whatever_the_case_of_its_headers(self):
        self.assertEqual(hookswitch.verify(SECRET, headers(), BODY, now=SENT + 299), {"test": 2432232314})

    def test_two_signatures_and_two_secrets_while_one_takes_anothers_place(self):
        two = headers(**{"WEBHOOK_SIGNATURE": f"v1,other {SIGNATURE}"})
        other = "whsec_" + base64.b64encode(b"x" * 32).decode()
        self.assertTrue(hookswitch.verify([other, SECRET], two, BODY, now=SENT))

    def test_whatever_is_changed_is_forged(self):
        for given, body, now in [
            (headers(Webhook_Id="msg_other"), BODY, SENT),
            (headers(webhook_timestamp=str(SENT + 1)), BODY, SENT),
            (headers(webhook_timestamp="soon"), BODY, SENT),
            (headers(webhook_timestamp=""), BODY, SENT),
            (headers(WEBHOOK_SIGNATURE=""), BODY, SENT),
            (headers(WEBHOOK_SIGNATURE=SIGNATURE.replace("v1,", "v1a,")), BODY, SENT),
            (headers(), BODY + b" ", SENT),
            (headers(), BODY, SENT + 301),
            (headers(), BODY, SENT - 301),
            ({}, BODY, SENT),
        ]:
            with self.assertRaises(hookswitch.Forged):
                hookswitch.verify(SECRET, given, body, now=now)

    def test_a_secret_that_is_none_is_the_callers_mistake(self):
        with self.assertRaises(ValueError):
            hookswitch.verify("whsec_not base64", headers(), BODY, now=SENT)


class Replies(unittest.TestCase):
    def test_replies_are_as_the_contract_has_them(self):
        self.assertEqual(hookswitch.allow(), {})
        self.assertEqual(hookswitch.allow(warnings=["w"]), {"warnings": ["w"]})
        self.assertEqual(hookswitch.forbid("no"), {"verdict": "forbid", "message": "no"})
        whole = {"verdict": "forbid", "message": "no", "code": "C", "field": "name"}
        self.assertEqual(hookswitch.forbid("no", code="C", field="name"), whole)
        self.assertEqual(hookswitch.modify({"credit": None}, warnings=["w"]), {"data": {"credit": None}, "warnings": ["w"]})


class Seen(unittest.TestCase):
    def heard(self, seen, *events):
        found = []
        for one in events:
            with seen.once(one) as is_new:
                found.append(is_new)
        return found

    def test_each_event_is_new_once_and_none_after_a_newer_one_of_the_same_object(self):
        seen = hookswitch.Seen(":memory:")
        self.assertEqual(self.heard(seen, event(1), event(1), event(3), event(2)), [True, False, True, False])
        self.assertEqual(self.heard(seen, event(2, object_id=2), event(1, events_id="clients.accounts.update")), [True, True])

    def test_the_era_counts_before_the_number(self):
        seen = hookswitch.Seen(":memory:")
        self.assertEqual(self.heard(seen, event(9), event(2, era=1), event(9), event(3, era=1)), [True, True, False, True])

    def test_what_failed_comes_again_and_what_is_known_survives_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/seen.db"
            seen = hookswitch.Seen(path)
            with self.assertRaises(RuntimeError), seen.once(event(1)):
                raise RuntimeError("the softswitch is away")
            self.assertEqual(self.heard(seen, event(1)), [True])
            seen.close()
            self.assertEqual(self.heard(hookswitch.Seen(path), event(1), event(2)), [False, True])

    def test_threads_take_turns(self):
        seen, news = hookswitch.Seen(":memory:"), []

        def take():
            with seen.once(event(1)) as is_new:
                news.append(is_new)

        threads = [threading.Thread(target=take) for _ in range(20)]
        [one.start() for one in threads]
        [one.join() for one in threads]
        self.assertEqual(sorted(news), [False] * 19 + [True])


if __name__ == "__main__":
    unittest.main()
