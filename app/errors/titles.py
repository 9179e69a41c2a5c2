"""The title of every problem in English and Khmer, and the choice between them by Accept-Language."""

import re

TITLES: dict[str, tuple[str, str]] = {
    "bad_request": ("The request is malformed", "សំណើមិនត្រឹមត្រូវតាមទម្រង់"),
    "unauthenticated": ("Please sign in", "សូមចូលគណនីជាមុនសិន"),
    "mfa_required": ("A one-time code is required", "ត្រូវបញ្ចូលលេខកូដផ្ទៀងផ្ទាត់"),
    "password_change_required": ("Please choose a new password first", "សូមជ្រើសរើសពាក្យសម្ងាត់ថ្មីជាមុនសិន"),
    "step_up_required": ("Please enter your password again", "សូមបញ្ចូលពាក្យសម្ងាត់របស់អ្នកម្ដងទៀត"),
    "forbidden": ("You are not allowed to do this", "អ្នកគ្មានសិទ្ធិធ្វើសកម្មភាពនេះទេ"),
    "confirmation_required": (
        "A person of your organisation must confirm this system first",
        "ត្រូវមានអ្នកតំណាងអង្គការរបស់អ្នកបញ្ជាក់ប្រព័ន្ធនេះជាមុនសិន",
    ),
    "not_found": ("Not found", "រកមិនឃើញ"),
    "method_not_allowed": ("This method is not allowed here", "មិនអនុញ្ញាតឱ្យប្រើវិធីនេះទេ"),
    "not_acceptable": ("This format cannot be answered", "មិនអាចឆ្លើយតបតាមទម្រង់នេះបានទេ"),
    "request_timeout": ("The request took too long to arrive", "សំណើមកដល់យឺតពេក"),
    "conflict": ("This contradicts what is already recorded", "មិនស៊ីគ្នានឹងទិន្នន័យដែលមានស្រាប់"),
    "case_closed": ("The case is closed", "ករណីនេះបានបិទហើយ"),
    "closure_blocked": ("Something on the case must be finished first", "ត្រូវបញ្ចប់កិច្ចការខ្លះនៃករណីនេះជាមុនសិន"),
    "plan_incomplete": ("The plan for her safety is not complete", "ផែនការសុវត្ថិភាពមិនទាន់ពេញលេញ"),
    "illegal_transition": ("The status cannot change this way", "មិនអាចប្ដូរស្ថានភាពតាមរបៀបនេះបានទេ"),
    "exceeds_approval": ("This is more than was approved", "ចំនួននេះលើសពីចំនួនដែលបានអនុម័ត"),
    "consent_required": ("Consent is required first", "ត្រូវមានការយល់ព្រមជាមុនសិន"),
    "unsafe_contact": ("This contact would not be safe", "ការទាក់ទងបែបនេះគ្មានសុវត្ថិភាពទេ"),
    "unsafe_caregiver": ("This caregiver cannot agree for the child", "អ្នកថែទាំនេះមិនអាចយល់ព្រមជំនួសកុមារបានទេ"),
    "caseload_full": ("The caseload is full", "ចំនួនករណីក្នុងបន្ទុកពេញហើយ"),
    "webhook_limit": (
        "Your organisation has as many webhooks as it may have",
        "អង្គការរបស់អ្នកមានអាសយដ្ឋានជូនដំណឹងគ្រប់ចំនួនដែលអនុញ្ញាតហើយ",
    ),
    "access_exists": ("You can see this case already", "អ្នកអាចមើលករណីនេះបានរួចហើយ"),
    "review_pending": (
        "Your earlier emergency access must be reviewed first",
        "ការចូលមើលក្នុងគ្រាអាសន្នលើកមុនរបស់អ្នកត្រូវពិនិត្យឡើងវិញជាមុនសិន",
    ),
    "import_blocked": ("The import cannot be written as it stands", "មិនទាន់អាចកត់ត្រាទិន្នន័យដែលបាននាំចូលបានទេ"),
    "in_use": ("Other records refer to this one", "មានកំណត់ត្រាផ្សេងទៀតយោងលើកំណត់ត្រានេះ"),
    "period_not_over": ("The period is not over yet", "រយៈពេលនេះមិនទាន់ចប់នៅឡើយ"),
    "legal_hold": ("The case is under a legal hold and must be kept", "ករណីនេះត្រូវរក្សាទុកតាមច្បាប់ មិនអាចលុបបានទេ"),
    "idempotency_in_progress": ("The same request is still being processed", "សំណើដដែលនេះកំពុងដំណើរការនៅឡើយ"),
    "device_wiped": (
        "This session was ended from another place; the data on this device must be deleted",
        "សម័យប្រើប្រាស់នេះត្រូវបានបញ្ចប់ពីកន្លែងផ្សេង ទិន្នន័យលើឧបករណ៍នេះត្រូវលុបចេញ",
    ),
    "withdrawn": ("This export has been withdrawn", "ទិន្នន័យដែលបាននាំចេញនេះត្រូវបានដកចេញវិញហើយ"),
    "precondition_failed": (
        "The record has changed meanwhile, please load it again",
        "ទិន្នន័យនេះបានផ្លាស់ប្ដូរហើយ សូមផ្ទុកឡើងវិញ",
    ),
    "payload_too_large": ("What was sent is too large", "ទិន្នន័យដែលបានផ្ញើមានទំហំធំពេក"),
    "range_not_satisfiable": ("This part of the file does not exist", "ផ្នែកនៃឯកសារដែលបានស្នើគ្មានទេ"),
    "unsupported_media_type": ("This type of content is not accepted", "មិនទទួលយកទិន្នន័យប្រភេទនេះទេ"),
    "validation_failed": ("Some of the details are not valid", "ព័ត៌មានមួយចំនួនមិនត្រឹមត្រូវ"),
    "idempotency_key_reused": (
        "The key of this request was already used for another one",
        "លេខសម្គាល់សំណើនេះត្រូវបានប្រើសម្រាប់សំណើផ្សេងរួចហើយ",
    ),
    "external_id_reused": (
        "You have already sent something else under this number of yours",
        "អ្នកបានបញ្ជូនករណីផ្សេងមួយរួចហើយ ក្រោមលេខរបស់អ្នកនេះ",
    ),
    "precondition_required": ("Please say which version you are changing", "សូមបញ្ជាក់ថាអ្នកកំពុងកែកំណែណាមួយ"),
    "rate_limited": ("Too many requests, please try again later", "សំណើច្រើនពេក សូមព្យាយាមម្ដងទៀតនៅពេលក្រោយ"),
    "unavailable": ("Temporarily unavailable, please try again", "ប្រព័ន្ធជាប់រវល់បណ្ដោះអាសន្ន សូមព្យាយាមម្ដងទៀត"),
    "internal_error": ("Something went wrong on our side", "មានបញ្ហាក្នុងប្រព័ន្ធ សូមព្យាយាមម្ដងទៀត"),
}

_LANGUAGES = ("en", "km")
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def title(code: str, language: str) -> str:
    """The title of a code in "en" or "km"; KeyError for a code that has none."""
    return TITLES[code][_LANGUAGES.index(language)]


def choose_language(accept_language: str | None) -> str:
    """ "en" or "km", whichever weighs more; the earlier one when equal, "en" when neither is wanted.

    Malformed parts are passed over, and what lies beyond 500 characters is not read.
    """
    weights: dict[str, float] = {}
    for part in (accept_language or "")[:500].split(","):
        if match := _RANGE.fullmatch(part):
            tag = match[1].lower().split("-")[0]
            weights[tag] = max(weights.get(tag, 0.0), float(match[2] or 1))
    rest = weights.get("*", 0.0)
    order = [*weights, *_LANGUAGES]
    best = max(_LANGUAGES, key=lambda tag: (weights.get(tag, rest), -order.index(tag)))
    return best if weights.get(best, rest) > 0 else "en"
