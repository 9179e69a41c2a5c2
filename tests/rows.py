"""The wall of rows alone: what the API's database role reads and writes as each person, without the API.

1: the row is read, the change is let through; 0: it is not there, or refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.cast import COMMUNE
from tests.row_statements import PROBES
from tests.stage import Stage
from tests.standpoints import CASEWORKER, OTHER_SIDE, STANDPOINTS, SUPERVISOR, Standpoint

# o: 1 for the staff of the case's own organisation, 0 for everybody else. *: says nothing.
TABLE = """
                               c.lead c.assigned c.cover c.glass c.staff s.lead s.assigned s.cover s.reviewer s.glass s.standard s.stub s.leaderless l.assigned l.opener c.hidden s.hidden l.hidden other
see cases                       1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
see client                      1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
see child                       1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see consents                    1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see incidents                   1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see case_visit                  1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see caseworkers_note            1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see team_note                   1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
see assistance                  1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see disbursement                1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see disclosure                  1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see others_follow_up            1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see others_action               1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see assessment                  1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see risk_change                 1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see safety_plan                 1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see caseworkers_event           1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see team_event                  1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
see oversight_event             1 0 0 0 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see wish                        1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see outside_review              1 0 0 0 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see hold                        1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see own_assignment              1 1 1 0 0   1 1 1 1 0 0 0 0   1 0   0 0 0 0
see others_assignment           1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see grants                      0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see own_access                  1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   * * * 0
see others_access               0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see exclusions                  0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see matches                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see case_tokens                 0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see user_tokens                 0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see own_details                 1 1 1 1 1   1 1 1 1 1 1 1 1   1 1   1 1 1 1
see others_details              0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
see household                   1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
see link                        1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see client_token                1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see register_token              1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
see case_key                    1 1 1 1 1   1 1 1 1 1 1 1 1   1 0   0 0 0 0
see register_key                1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
see whereabouts                 1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see whereabouts_key             1 1 0 0 0   1 1 0 0 0 0 0 0   0 0   0 0 0 0
see health                      1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see health_key                  1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see attachment                  1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see attachment_chunk            1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see attachment_key              1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
see transfers                   1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see transfer_key                1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see own_key                     1 1 1 1 1   1 1 1 1 1 1 1 1   1 1   1 1 1 1
see others_key                  0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
see webhook                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
see import                      0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
see import_chunk                0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
see imported                    0 0 0 0 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
see imported_to_register        0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 o 0 0
see register                    1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0

change cases                    1 1 1 1 0   1 1 1 1 1 1 0 1   1 0   0 0 0 0
change client                   1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change consents                 1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change incidents                1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change case_visit               1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
change case_visit_gone          1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
change case_of_visit            0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change assistance               1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change paid                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change asked                    0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change disclosure               1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change disclosure_for_another   0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change disclosure_words         0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change others_follow_up         1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change others_action            1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change assessment               0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change risk_change              0 0 0 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change safety_plan              1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change own_assignment           1 1 1 * *   1 1 1 1 * * * *   0 *   0 0 0 0
change outside_review           1 0 0 0 0   1 0 0 0 0 0 0 0   0 0   0 0 0 0
change wish                     1 0 0 0 0   1 0 0 1 0 1 0 1   0 0   0 0 0 0
change hold                     0 0 0 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
change others_assignment        1 1 1 1 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
change household                1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
change any_household            1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   * * 0 0
change webhook                  0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
change webhook_gone             0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
change import                   0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
change any_import               0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 * 0 0
change import_gone              0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
change any_import_gone          0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 * 0 0
change import_chunk             0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
change any_import_chunk         0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 * 0 0
change import_chunk_new         0 0 0 0 0   0 0 0 0 0 1 0 0   0 0   0 0 0 0
change import_chunk_elsewhere   0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change import_rows              0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change register                 1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
change link                     1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
change link_back                1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
change link_in_the_case         1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change client_token             1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change client_token_new         1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change register_token           1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
change register_token_new       1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
change case_key                 0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change register_key             1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
change whereabouts              1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change whereabouts_key          1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change health                   1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change health_key               1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change attachment               1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change attachment_chunk_new     1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change attachment_key           1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
change transfers                1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change transfer_key             1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
change other_part               0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change wrapping                 0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
change own_details              0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
change others_details           0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *

add client                      1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add consents                    1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add incidents                   1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add case_visit                  1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
add caseworkers_note            1 1 1 1 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
add team_note                   1 1 1 1 0   1 1 1 1 1 1 0 1   1 0   0 0 0 0
add assistance                  1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add disbursement                1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
add disclosure                  1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add confirmed_disclosure        0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
add own_follow_up               1 1 1 0 0   1 1 1 1 0 1 0 1   1 0   0 0 0 0
add others_follow_up            1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
add own_action                  1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
add assessment                  1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add risk_change                 1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
add safety_plan                 1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add caseworkers_event           1 1 1 1 0   1 1 1 1 1 1 1 1   1 0   0 0 0 0
add event_without_case          0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
add outside_review              1 0 0 0 0   1 0 0 0 0 0 0 0   0 0   0 0 0 0
add wish                        1 0 0 0 0   1 0 0 1 0 1 0 1   0 0   0 0 0 0
add hold                        0 0 0 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
add others_assignment           1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
add whereabouts                 1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
add health                      1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
add attachment                  1 1 1 0 0   1 1 1 0 0 0 0 0   0 0   0 0 0 0
add import                      0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 o 0 0
add import_elsewhere            0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
add imported                    0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
add imported_to_register        0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 o 0 0
add transfers                   1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
add webhook                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 *
add household                   1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
add register                    1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
add link                        1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
add link_the_other_way          1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
add key                         1 1 1 1 1   1 1 1 1 1 1 1 1   1 1   1 1 1 1

call supervises                 0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call leads                      1 0 0 0 0   1 0 0 0 0 0 0 0   0 0   0 0 0 0
call stub                       0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call exclusions                 1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call knows_exclusion            1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call may_assign                 1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call may_assign_excluded        0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
call exclude                    1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call lift                       1 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call match                      1 0 0 0 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
call answer                     1 0 0 0 0   1 0 0 0 0 0 0 1   0 0   0 0 0 0
call answer_elsewhere           0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
call screen                     1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0
call code                       1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   * 0 0 0
call glass                      0 0 0 0 0   0 0 0 0 0 0 1 0   0 0   * 0 0 0
call grant                      1 0 0 1 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call grant_words                1 0 0 1 0   1 1 1 1 1 1 0 1   0 0   0 0 0 0
call review                     0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call may_confirm                1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
call confirm_bypass             1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
call services                   1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
call may_erase                  1 0 0 0 0   1 0 0 1 0 1 0 1   0 0   0 0 0 0
call may_hold                   0 0 0 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0
call confirm                    1 0 0 0 0   1 0 0 1 0 1 0 1   0 0   0 0 0 0
call met_again                  0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
call incoming                   0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 * 0 0
call accept                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 * 0 0
call decline                    0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 * 0 0
call settle                     0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
call leave                      0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call receipt                    0 0 0 0 0   1 0 0 0 0 0 0 0   0 1   0 0 0 0
call sees_client                1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
call sees_case_visit            1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0
call sees_register              1 1 1 1 1   1 1 1 1 1 1 1 1   0 0   o o 0 0
call assistance_case            1 1 1 1 1   1 1 1 1 1 1 0 1   1 0   0 0 0 0
call ledger                     0 0 0 0 0   1 1 1 1 1 1 1 1   0 0   0 0 0 0
call just_opened                0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0
"""  # noqa: E501

# What other organisations see as well. p.recipient, s.recipient: a partner's account and a supervisor of who is asked;
# p.inside: a partner's account of the case's own; p.hidden: of others, or excluded.
OF_REFERRALS = """
                               c.lead c.assigned c.cover c.glass c.staff s.lead s.assigned s.cover s.reviewer s.glass s.standard s.stub s.leaderless l.assigned l.opener c.hidden s.hidden l.hidden other p.recipient p.inside p.hidden s.recipient
see referral                    1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 1 0 1
see referral_snapshot           1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 0 0 1
see referral_message            1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 0 0 1
see referral_key                1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 1 0 1
see referral_snapshot_key       1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 0 0 1

change referral                 1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0
change referral_status          0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   0 0 0 0
change referral_open_words      0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   0 0 0 0
change referral_snapshot        1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0
change referral_snapshot_new    1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0
change referral_message         0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   0 0 0 0
change referral_key             1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0
change referral_snapshot_key    1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0

add referral                    1 1 1 0 0   1 1 1 0 0 1 0 0   0 0   0 0 0 0   0 0 0 0
add message_to_partner          1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0   0 0 0 0
add message_by_partner          0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   1 0 0 1
add case                        1 1 1 1 1   1 1 1 1 1 1 1 1   1 1   o o 1 0   1 1 1 0

call sees_referral              1 1 1 1 1   1 1 1 1 1 1 0 1   0 0   0 0 0 0   1 1 0 1
call hold_referral              1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0   1 0 0 1
call hold_for_partner           0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   1 0 0 1
call tell_referral              1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0   1 0 0 1
call move_referral              1 1 1 0 0   1 1 1 1 0 1 0 1   0 0   0 0 0 0   1 0 0 1
call may_open_referral          0 0 0 0 0   0 0 0 0 0 0 0 0   0 0   0 0 0 0   1 0 0 1
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Probe:
    """One line of the table: a statement, and what becomes of it in each column."""

    kind: str
    name: str
    cells: dict[str, str]

    def expects(self, point: Standpoint) -> bool | None:
        """Whether it reaches its row; None where the table does not say."""
        mark = self.cells[point.column]
        at_home = point.organisation == "ngo" and point.role in {CASEWORKER, SUPERVISOR}
        return {"1": True, "0": False, "o": at_home, "*": None}[mark]


def probes() -> Iterator[Probe]:
    """The lines of both tables; what is no referral is to everybody of another organisation as to any other."""
    for table in (TABLE, OF_REFERRALS):
        head, *lines = [line.split() for line in table.splitlines() if line.strip()]
        for kind, name, *marks in lines:
            cells = dict(zip(head, marks, strict=True))
            yield Probe(kind, name, {column: cells[like] for column, like in OTHER_SIDE.items()} | cells)


def wrong_rows(stage: Stage, runtime_url: str, *, first: bool = False) -> tuple[int, list[str]]:
    """How many cells were asked of the database itself, and what is wrong. Everything is rolled back."""
    asked, wrong = 0, []
    stage.give_back_follow_ups()
    for case in stage.cases:
        stage.put_referral(case)
    with psycopg.connect(runtime_url) as connection:
        for point in STANDPOINTS:
            values = _values(stage, point)
            connection.execute(
                "select from begin_request(%(session)s, %(now)s)",
                {**values, "session": stage.session(point.name)},
            )
            for probe in probes():
                expected = probe.expects(point)
                asked += 1
                if expected is not None and _reaches(connection, probe, values) is not expected:
                    wrong.append(f"{probe.kind} {probe.name} as {point.name}: not {expected}")
                # Nobody writes in the name of another.
                if probe.kind == "add" and _reaches(connection, probe, {**values, "by": values["other"]}):
                    wrong.append(f"add {probe.name} as {point.name} in another's name")
            connection.rollback()
            if wrong and first:
                break
    return asked, wrong


def _reaches(connection: psycopg.Connection[Any], probe: Probe, values: dict[str, Any]) -> bool:
    connection.execute("savepoint probe")
    try:
        cursor = connection.execute(PROBES[probe.kind][probe.name], values)
        return bool(cursor.fetchone()[0]) if probe.kind == "call" else cursor.rowcount > 0  # type: ignore[index]
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.UniqueViolation:
        return True  # the policies come first, and have let it through
    finally:
        connection.execute("rollback to savepoint probe")


def _values(stage: Stage, point: Standpoint) -> dict[str, Any]:
    own = {"me": stage.user(point.name), "by": stage.user(point.name), "other": stage.user("spare_user")}
    return {
        **stage.register,
        **stage.cases[point.case].ids,
        **own,
        "excluded": stage.user("spare_excluded"),
        "organisation_id": stage.cast.organisation("ngo"),
        "elsewhere": stage.cast.organisation("council"),
        "commune": COMMUNE,
        "now": stage.cast.clock(),
    }
