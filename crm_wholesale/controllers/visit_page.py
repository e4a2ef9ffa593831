from odoo import SUPERUSER_ID, fields
from odoo.exceptions import UserError
from odoo.http import Controller, request, route

#: More than the longest form has, in bytes.
MAX_BODY = 16 * 1024

#: The link is a secret: it goes to no cache, index or other site, and nothing else is loaded.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class VisitPage(Controller):
    """The customer's page of a visit: GET shows, POST acts.

    No session, no cookie, no script. The forms need no token against forgery: who could forge
    one would have to know the secret link, with which the page can be opened anyway.
    """

    @route(
        "/v/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        save_session=False,
    )
    def show(self, token, lang=None, **_params):
        """Show the visit."""
        visit = self._find(token, lang)
        if not visit or visit._is_page_expired():
            return self._show_invalid(visit)
        return self._show_visit(visit)

    @route(
        "/v/<string:token>/times",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        save_session=False,
    )
    def show_times(self, token, lang=None, **_params):
        """Show the free times to which the visit can be moved."""
        visit = self._find(token, lang)
        if not visit or visit._is_page_expired():
            return self._show_invalid(visit)
        return self._show_times(visit)

    @route(
        "/v/<string:token>/visit.ics",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        save_session=False,
    )
    def download(self, token, lang=None, **_params):
        """Return the visit for the customer's calendar."""
        visit = self._find(token, lang)
        if not visit or visit._is_page_expired():
            return self._show_invalid(visit)
        if not visit._has_told_time():
            return request.redirect(self._get_path(visit))
        headers = {
            **HEADERS,
            "Content-Type": "text/calendar; charset=utf-8",
            "Content-Disposition": 'attachment; filename="visit.ics"',
        }
        return request.make_response(visit._get_ics(), headers.items())

    @route(
        "/v/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY,
    )
    def act(self, token, lang=None, choice="", revision="", start="", words="", **_params):
        """Do what the customer chose, and show the visit as it stands then."""
        visit = self._find(token, lang)
        if not visit or visit._is_page_expired():
            return self._show_invalid(visit)
        if not self._is_preview():
            try:
                visit._choose_for_customer(
                    choice, self._parse_number(revision), self._parse_start(start), words
                )
            except UserError as error:
                show = self._show_times if choice == "move" else self._show_visit
                return show(visit, error=str(error), status=409)
        return request.redirect(self._get_path(visit), code=303)

    # ------------------------------------------------------------------
    # What was asked for
    # ------------------------------------------------------------------

    def _find(self, token, lang):
        """Return the visit of the token, if any, as the system's user in the reader's language."""
        visit = request.env["crm.visit"].with_user(SUPERUSER_ID)._find_by_page_token(token)
        languages = self._get_languages()
        if lang not in languages:
            lang = visit._get_customer_lang() if visit else None
        request.update_context(lang=lang or next(iter(languages)))
        return visit.with_context(lang=request.env.lang).with_company(visit.company_id)

    @staticmethod
    def _get_languages():
        """Return the languages of the firm, their codes and own names."""
        return {
            code: name.rpartition(" / ")[2]
            for code, name in request.env["res.lang"].get_installed()
        }

    @staticmethod
    def _is_preview():
        """Return whether somebody of the firm looks at the page: only the customer may act."""
        return request.env.user._is_internal()

    @staticmethod
    def _parse_number(text):
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @staticmethod
    def _parse_start(text):
        try:
            return fields.Datetime.to_datetime(text)
        except ValueError:
            return None

    # ------------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------------

    def _get_path(self, visit, suffix=""):
        """Return the address of a page of this visit, in the language of this page."""
        return f"/v/{visit._get_page_token()}{suffix}?lang={request.env.lang}"

    def _show_visit(self, visit, error=None, status=200):
        return self._render(
            "crm_wholesale.crm_visit_page",
            visit,
            status,
            choices=visit._get_customer_choices(),
            error=error,
        )

    def _show_times(self, visit, error=None, status=200):
        choices = visit._get_customer_choices()
        return self._render(
            "crm_wholesale.crm_visit_page_times",
            visit,
            status,
            choices=choices,
            days=visit._get_offered_days() if "move" in choices else {},
            error=error,
        )

    def _show_invalid(self, visit):
        """Say that the link is of no use; only a link that was good once tells whose it was."""
        if visit:
            return self._render("crm_wholesale.crm_visit_page_expired", visit, 410)
        return self._render("crm_wholesale.crm_visit_page_unknown", visit, 404)

    def _render(self, template, visit, status, **values):
        company = visit.company_id
        response = request.render(
            template,
            {
                "visit": visit,
                "company": company,
                "languages": self._get_languages(),
                "path": self._get_path,
                "lang": request.env.lang,
                "is_preview": self._is_preview(),
                **values,
            },
            status=status,
        )
        response.headers.update(HEADERS)
        return response
