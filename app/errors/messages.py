"""What is wrong with a field, said in Khmer: a sentence for each code, as a title is for a problem.

English sentences are written where something is refused, and may say more than the code. A code without a sentence of
its own is told generally: it is for the program, and the pointer says which field it is.
"""

from collections.abc import Iterable
from dataclasses import replace

from app.errors.problems import FieldError

GENERAL = "តម្លៃនេះមិនត្រឹមត្រូវទេ។"
KHMER: dict[str, str] = {
    # What the shape of a request needs.
    "required": "ត្រូវបំពេញព័ត៌មាននេះ។",
    "unknown_field": "គ្មានព័ត៌មានឈ្មោះនេះទេ។",
    "unknown_code": "លេខកូដនេះមិនមានក្នុងបញ្ជីទេ។",
    "must_be_null": "ព័ត៌មាននេះត្រូវទុកឱ្យទទេ។",
    "invalid_text": "ត្រូវតែជាអក្សរ។",
    "too_long": "អត្ថបទនេះវែងពេក។",
    "text_too_long": "អត្ថបទនេះវែងពេក។",
    "too_short": "អត្ថបទនេះខ្លីពេក។",
    "text_empty": "អត្ថបទនេះមិនអាចទទេបានទេ។",
    "text_type": "ត្រូវតែជាអក្សរ។",
    "text_byte_order_mark": "អត្ថបទនេះមានសញ្ញាដែលមើលមិនឃើញ។",
    "text_combining_marks": "អក្សរមួយមានសញ្ញាច្រើនពេក។",
    "text_control_character": "អត្ថបទនេះមានតួអក្សរដែលមិនអាចរក្សាទុកបាន។",
    "text_direction_override": "អត្ថបទនេះប្ដូរទិសនៃការសរសេរ។",
    "text_surrogate": "អត្ថបទនេះមានតួអក្សរមិនពេញលេញ។",
    "case_code_invalid": "លេខកូដករណីត្រូវសរសេរជា SR-XXXX-XXXX។",
    "invalid_format": "អត្ថបទនេះមិនត្រូវតាមទម្រង់ទេ។",
    "too_many": "ចំនួនធាតុច្រើនពេក។",
    "too_few": "ចំនួនធាតុតិចពេក។",
    "invalid_list": "ត្រូវតែជាបញ្ជី។",
    "invalid_object": "ត្រូវតែជាវត្ថុដែលមានឈ្មោះព័ត៌មាន។",
    "invalid_boolean": "ត្រូវតែជាបាទ/ចាស ឬទេ (true ឬ false)។",
    "invalid_number": "ត្រូវតែជាលេខ។",
    "out_of_range": "តម្លៃនេះក្រៅពីកម្រិតដែលអនុញ្ញាត។",
    "below_minimum": "តម្លៃនេះតូចជាងកម្រិតដែលអនុញ្ញាត។",
    "invalid_id": "ត្រូវតែជាលេខសម្គាល់ (UUID)។",
    "invalid_date": "ត្រូវតែជាថ្ងៃខែឆ្នាំ ដូចជា 2026-03-15។",
    "date_invalid": "ថ្ងៃខែឆ្នាំនេះមិនត្រឹមត្រូវទេ។",
    "date_out_of_range": "ថ្ងៃខែឆ្នាំនេះក្រៅពីកម្រិតដែលអនុញ្ញាត។",
    "invalid_time": "ត្រូវតែជាថ្ងៃ និងម៉ោង ដូចជា 2026-03-15T08:00:00+07:00។",
    "time_invalid": "ម៉ោងនេះមិនត្រឹមត្រូវទេ។",
    "timezone_required": "ត្រូវបញ្ជាក់ល្វែងម៉ោងធៀបនឹង UTC។",
    "timezone_missing": "ត្រូវបញ្ជាក់ល្វែងម៉ោងធៀបនឹង UTC។",
    "not_past": "ពេលវេលានេះត្រូវតែកន្លងផុតទៅហើយ។",
    "not_future": "ពេលវេលានេះត្រូវតែមិនទាន់មកដល់។",
    "in_the_past": "ពេលវេលានេះបានកន្លងផុតទៅហើយ។",
    "in_the_future": "ពេលវេលានេះមិនទាន់មកដល់ទេ។",
    "before_the_programme": "នៅពេលនោះ កម្មវិធីមិនទាន់ចាប់ផ្ដើមទេ។",
    "phone_invalid": "លេខទូរស័ព្ទនេះមិនត្រឹមត្រូវទេ។",
    "invalid_value": "មិនអាចរក្សាទុកតម្លៃនេះបានទេ។",
    "constraint": "ព័ត៌មានទាំងនេះផ្ទុយគ្នា ឬមិនពេញលេញ។",
    "malformed_body": "មិនអាចអានទិន្នន័យដែលបានផ្ញើបានទេ។",
    "json_invalid": "ទិន្នន័យដែលបានផ្ញើមិនមែនជា JSON ទេ។",
    "not_allowed": "មិនអនុញ្ញាតឱ្យបំពេញព័ត៌មាននេះនៅទីនេះទេ។",
    "cursor_invalid": "ទំព័រនេះមិនមែនមកពីបញ្ជីនេះទេ។",
    # Who and what is named.
    "unknown_reference": "លេខសម្គាល់មួយមិនបញ្ជាក់ដល់អ្វីដែលមានទេ។",
    "unknown_user": "គ្មានអ្នកប្រើប្រាស់នេះទេ។",
    "unknown_colleague": "គ្មានសហការីនេះដើម្បីទទួលករណីទេ។",
    "unknown_organisation": "គ្មានអង្គការនេះទេ។",
    "unknown_area": "គ្មានទីកន្លែងនេះទេ។",
    "unknown_service": "គ្មានសេវានេះទេ។",
    "role_not_fitting": "បុគ្គលនេះមិនអាចមានតួនាទីនេះបានទេ។",
    "nobody_left": "គ្មាននរណាក្នុងអង្គការនេះនៅសល់ដើម្បីទទួលករណីនេះទេ។",
    "not_on_case": "បុគ្គលនេះមិនធ្វើការលើករណីនេះទេ។",
    "works_on_case": "បុគ្គលនេះធ្វើការលើករណីនេះ។",
    "same_person": "ត្រូវតែជាមនុស្សផ្សេង។",
    "not_to_yourself": "ត្រូវប្រគល់ឱ្យអ្នកផ្សេង មិនមែនខ្លួនឯងទេ។",
    "not_of_commune": "បុគ្គលនេះមិនមែននៅឃុំនៃករណីនេះទេ។",
    "not_your_commune": "ឃុំនេះមិនមែនជាឃុំរបស់អ្នកទេ។",
    "not_your_organisation": "ករណីត្រូវបើកក្នុងអង្គការរបស់អ្នក។",
    # What the work with a client needs.
    "reason_required": "ត្រូវបញ្ជាក់មូលហេតុ។",
    "client_required": "ត្រូវមានអតិថិជនម្នាក់។",
    "name_required": "ត្រូវមានឈ្មោះ។",
    "level_required": "ត្រូវបញ្ជាក់កម្រិតហានិភ័យ។",
    "without_the_client": "ផែនការសុវត្ថិភាពត្រូវធ្វើជាមួយអតិថិជន។",
    "plan_empty": "ផែនការត្រូវនិយាយថានាងខ្លាចអ្វី ឬធ្វើអ្វីនៅពេលនោះ។",
    "later_than_risk_allows": "ហានិភ័យនៃករណីនេះមិនអនុញ្ញាតឱ្យរង់ចាំយូរដូច្នេះទេ។",
    "must_be_informed": "អតិថិជនត្រូវដឹងថានាងអាចត្រឡប់មកវិញបាន។",
    "safe_contact_required": "លេខទូរស័ព្ទ និងភូមិ អាចប្រាប់បានតែជាមួយរបៀបទាក់ទងដោយសុវត្ថិភាព។",
    "category_is_sensitive": "ករណីប្រភេទនេះជាករណីរសើប។",
    "not_a_caregiver": "បុគ្គលនេះមិនមែនជាអ្នកថែទាំនៃករណីនេះទេ។",
    "too_young": "កុមារនេះក្មេងពេកសម្រាប់ការនេះ។",
    "above_request": "មិនអាចអនុម័តលើសពីចំនួនដែលបានស្នើទេ។",
    "before_approval": "មិនអាចបង់មុនពេលអនុម័តទេ។",
    "other_currency": "សំណើនេះប្រើរូបិយប័ណ្ណផ្សេង។",
    "amount_required": "ត្រូវបញ្ជាក់ចំនួនទឹកប្រាក់។",
    "item_required": "ត្រូវបញ្ជាក់អ្វីដែលត្រូវផ្ដល់។",
    "expires_before_obtained": "ថ្ងៃផុតកំណត់មិនអាចមុនថ្ងៃយល់ព្រមទេ។",
    "otp_invalid": "លេខកូដនេះមិនត្រឹមត្រូវទេ។",
    "empty_file": "ឯកសារនេះទទេ។",
    "content_is_not_its_name": "មាតិកាឯកសារមិនត្រូវនឹងឈ្មោះរបស់វាទេ។",
    "empty": "ឯកសារនេះទទេ។",
    "name_encoding": "ឈ្មោះឯកសារត្រូវតែជា UTF-8។",
    "not_a_file": "ត្រូវផ្ញើជាឯកសារដែលមានឈ្មោះ។",
    "too_many_parts": "ត្រូវផ្ញើតែឯកសារមួយប៉ុណ្ណោះ។",
    "duplicate_field": "ព័ត៌មាននេះត្រូវបានផ្ញើពីរដង។",
    "image_broken": "មិនអាចបើករូបភាពនេះបានទេ។",
    "image_moving": "មិនទទួលរូបភាពដែលមានចលនាទេ។",
    "image_too_large": "រូបភាពនេះធំពេក។",
    "image_unsupported": "មិនអាចរក្សាទុករូបភាពប្រភេទនេះបានទេ។",
}
# What a register that is brought in needs: its file, its columns, its cells, its rows.
KHMER |= {
    "encoding": "ឯកសារត្រូវតែជា UTF-8៖ សូមរក្សាទុកជា “CSV UTF-8”។",
    "csv_broken": "ឯកសារនេះមិនមែនជា CSV ត្រឹមត្រូវទេ។",
    "xlsx_broken": "មិនអាចអានសៀវភៅបញ្ជីនេះបានទេ។",
    "too_large_unpacked": "ឯកសារនេះធំពេកនៅពេលពន្លា។",
    "several_sheets": "សៀវភៅបញ្ជីមានទិន្នន័យលើសន្លឹកច្រើន៖ សូមផ្ញើសន្លឹកនីមួយៗជាឯកសារដាច់ដោយឡែក។",
    "merged_cells": "សៀវភៅបញ្ជីមានក្រឡាដែលបញ្ចូលគ្នា៖ ជួរនីមួយៗត្រូវមានក្រឡាផ្ទាល់ខ្លួន។",
    "too_many_rows": "បញ្ជីមួយមានច្រើនបំផុត ៥០,០០០ ជួរ។",
    "too_many_columns": "បញ្ជីមួយមានច្រើនបំផុត ៦០ ជួរឈរ។",
    "unknown_column": "មិនស្គាល់ចំណងជើងជួរឈរនេះទេ។",
    "duplicate_column": "ជួរឈរពីរមានន័យដូចគ្នា។",
    "column_missing": "ខ្វះជួរឈរដែលត្រូវការ។",
    "outside_columns": "ក្រឡាមួយគ្មានចំណងជើងជួរឈរនៅខាងលើទេ។",
    "formula": "មិនអានរូបមន្តទេ៖ សូមសរសេរតម្លៃ។",
    "cell_error": "តារាងបង្ហាញកំហុសនៅក្នុងក្រឡានេះ។",
    "date_is_number": "លេខមិនប្រាប់ថារាប់ពីថ្ងៃណាទេ៖ សូមសរសេរដូចជា 2026-03-15។",
    "repeated_row": "ឯកសារមានជួរដូចគ្នានេះមុនហើយ។",
    "perhaps_recorded": "មានមនុស្សម្នាក់ស្រដៀងនេះខ្លាំងត្រូវបានកត់ត្រារួចហើយ។",
    "caseload_full": "អ្នកទទួលបន្ទុកមានករណីគ្រប់ចំនួនដែលអនុញ្ញាតហើយ។",
    "caseload_high": "អ្នកទទួលបន្ទុកមានករណីច្រើន។",
    "caseload_over": "អ្នកទទួលបន្ទុកមានករណីលើសចំនួនដែលអនុញ្ញាត។",
    "caregiver_required": "នាងអាចមានអាយុក្រោម ១៨ ឆ្នាំ៖ ត្រូវមានការយល់ព្រមពីអ្នកថែទាំផង។",
    "attendance_not_total": "ផ្នែកទាំងអស់បូកគ្នាមិនស្មើចំនួនសរុបទេ។",
    "outside_programme": "កម្មវិធីរបស់អង្គការមិនធ្វើការនៅទីនោះទេ។",
    "names_a_person": "ការសន្យាត្រូវសរសេរដោយមិនមានឈ្មោះនរណាម្នាក់ឡើយ។",
}
_UNREADABLE = ("json_encoding", "json_duplicate_key", "json_too_deep", "json_not_a_number", "json_number_too_long")
KHMER |= dict.fromkeys((*_UNREADABLE, "json_number_out_of_range", "json_invalid_text"), KHMER["malformed_body"])


def in_language(errors: Iterable[FieldError], language: str) -> tuple[FieldError, ...]:
    """The same errors in "en" or "km"; codes and pointers never change with the language."""
    if language == "en":
        return tuple(errors)
    return tuple(replace(error, message=KHMER.get(error.code, GENERAL)) for error in errors)
