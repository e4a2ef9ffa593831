from datetime import datetime, timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

import vobject
from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools import mute_logger

from .common import MOBILE, NOW, WholesaleCommon

HOUR = timedelta(hours=1)
#: 10:00 in Kyiv on the next Thursday.
THURSDAY = datetime(2026, 11, 26, 8, 0)
FRIDAY = THURSDAY + timedelta(days=1)
REASON = "The windows are in already, thank you"


@freeze_time(NOW)
@tagged("post_install", "-at_install")
class PageCase(WholesaleCommon, HttpCase):
    """The customer in front of the page, without session, cookie or script."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"name": "Vikna", "phone": "+380 44 123 45 67"})
        cls.company.partner_id.lang = "en_US"
        for lang in ("uk_UA", "ru_RU"):
            cls.env["res.lang"]._activate_lang(lang)

    def setUp(self):
        super().setUp()
        self.visit = self._book(THURSDAY).sudo()
        self.path = urlsplit(self.visit.customer_url).path

    def get(self, suffix="", path=None, method="GET"):
        """Return the answer to a customer who opens the page."""
        return self.url_open((path or self.path) + suffix, method=method)

    def post(self, choice, path=None, revision=None, **data):
        """Return the first answer to a customer who sends a form of the page."""
        return self.url_open(
            path or self.path,
            data={
                "choice": choice,
                "revision": self.visit.revision if revision is None else revision,
                **data,
            },
            allow_redirects=False,
        )

    def read(self, response):
        """Return the words of a page, and what it is made of."""
        tree = html.fromstring(response.content)
        return " ".join(tree.find(".//body").text_content().split()), tree

    def get_offers(self):
        """Return the starts (UTC) that the page offers."""
        _words, tree = self.read(self.get("/times"))
        return [datetime.fromisoformat(start) for start in tree.xpath("//input[@name='start']/@value")]

    def get_calls(self):
        """Return the open call tasks of the deal."""
        return self.lead.activity_ids.filtered(lambda task: task.user_id == self.manager)
