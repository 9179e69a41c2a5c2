"""Who may do what, by operation and relation: access.md written down a second time, cell by cell.

Every cell is the exact status of a well-formed call. Nothing here is computed from app/policy.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS
from app.relations import Relation
from tests.standpoints import OTHER_SIDE

# Before a case. c: caseworker, s: supervisor, l: committee liaison; `other`: partner, auditor and admin, who
# may never use these operations, so that the answer is 403 whether the case exists or not.
BEFORE_A_CASE = """
                                                        c.lead c.assigned c.cover c.glass c.staff s.lead s.assigned s.cover s.reviewer s.glass s.standard s.stub s.leaderless l.assigned l.opener c.hidden s.hidden l.hidden other
GET    /cases/{case_id}                                  200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
GET    /cases/{case_id}/receipt                          404 404 404 404 404  200 404 404 404 404 404 404 404  404 200  404 404 404 403
PATCH  /cases/{case_id}                                  200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/transitions [step]               200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/transitions [return]             200 403 403 403 403  200 403 403 200 403 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/transitions [close]              403 403 403 403 403  403 403 403 200 403 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/transitions [close own request]  403 403 403 403 403  403 403 403 403 403 200 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/transitions [reopen]             200 403 403 403 403  200 200 200 200 403 200 404 404  403 403  404 404 403 403
GET    /cases/{case_id}/timeline                         200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403

GET    /cases/{case_id}/notes                            200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
POST   /cases/{case_id}/notes [caseworkers]              201 201 201 201 403  201 201 201 201 201 201 404 201  403 404  404 404 404 403
POST   /cases/{case_id}/notes [team]                     201 201 201 201 403  201 201 201 201 201 201 404 201  201 404  404 404 404 403
GET    /cases/{case_id}/notes/{note_id} [caseworkers]    200 200 200 200 200  200 200 200 200 200 200 404 200  404 404  404 404 404 403
GET    /cases/{case_id}/notes/{note_id} [team]           200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403

GET    /cases/{case_id}/people                           200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/people                           201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403
GET    /people/{person_id} [client]                      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
GET    /people/{person_id} [child]                       200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
PATCH  /people/{person_id} [client]                      200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403

GET    /people/{person_id}/links                         200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
GET    /people/{person_id}/links/{link_id}               200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /people/{person_id}/links [of the register]       201 201 201 201 201  201 201 201 201 201 201 404 201  403 403  404 404 403 403
POST   /people/{person_id}/links [of the case]           201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403
DELETE /people/{person_id}/links/{link_id}               204 204 204 403 403  204 204 204 403 403 204 404 403  403 403  404 404 403 403
POST   /people/matches [client of the case]              200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403

GET    /cases/{case_id}/consents                         200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/consents                         201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/consents/{consent_id}            200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/consents/{consent_id}/withdraw   200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403

POST   /cases/{case_id}/consents/{consent_id}/confirm [of another]   200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/consents/{consent_id}/confirm [own]          409 409 409 403 403  409 409 409 409 403 409 404 409  403 403  404 404 403 403

GET    /cases/{case_id}/disclosures                      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/disclosures                      201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/disclosures/{disclosure_id}      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/disclosures/{disclosure_id}/confirm [of another]   200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/disclosures/{disclosure_id}/confirm [own]          409 409 409 403 403  409 409 409 409 403 409 404 409  403 403  404 404 403 403
POST   /cases/{case_id}/death-review                     403 403 403 403 403  403 403 403 200 403 200 404 200  403 403  403 404 403 403

GET    /cases/{case_id}/incidents                        200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/incidents                        201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/incidents/{incident_id}          200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
PATCH  /cases/{case_id}/incidents/{incident_id}          200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403

GET    /cases/{case_id}/follow-ups                       200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
POST   /cases/{case_id}/follow-ups                       201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/follow-ups/{follow_up_id} [own]        200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
GET    /cases/{case_id}/follow-ups/{follow_up_id} [of another]  200 200 200 200 200  200 200 200 200 200 200 404 200  404 404  404 404 404 403
PATCH  /cases/{case_id}/follow-ups/{follow_up_id}        200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
DELETE /cases/{case_id}/follow-ups/{follow_up_id}        204 204 204 403 403  204 204 204 403 403 403 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/follow-ups/{follow_up_id}/record [own]  200 200 200 403 403  200 200 200 200 403 200 404 200  200 404  404 404 404 403
POST   /cases/{case_id}/follow-ups/{follow_up_id}/record [of another]  200 200 200 403 403  200 200 200 200 403 200 404 200  404 404  404 404 404 403

GET    /cases/{case_id}/actions                          200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
POST   /cases/{case_id}/actions                          201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/actions/{action_id} [own]        200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
GET    /cases/{case_id}/actions/{action_id} [of another] 200 200 200 200 200  200 200 200 200 200 200 404 200  404 404  404 404 404 403
PATCH  /cases/{case_id}/actions/{action_id}              200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
DELETE /cases/{case_id}/actions/{action_id}              204 204 204 403 403  204 204 204 403 403 403 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/actions/{action_id}/cancel       200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/actions/{action_id}/complete [own]         200 200 200 403 403  200 200 200 403 403 403 404 403  200 404  404 404 404 403
POST   /cases/{case_id}/actions/{action_id}/complete [of another]  200 200 200 403 403  200 200 200 403 403 403 404 403  404 404  404 404 404 403

GET    /cases/{case_id}/assessments                      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/assessments                      201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/assessments/{assessment_id}      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/risk                             201 201 201 403 403  201 201 201 201 403 201 404 201  403 403  404 404 403 403
POST   /cases/{case_id}/risk [lower from high]           403 403 403 403 403  201 201 201 201 403 201 404 201  403 403  404 404 403 403
GET    /cases/{case_id}/risk-history                     200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
GET    /cases/{case_id}/risk-history/{change_id}         200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/risk-history/{change_id}/review  403 403 403 403 403  200 200 200 200 403 200 404 200  403 403  403 404 403 403
GET    /cases/{case_id}/safety-plan                      200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
PUT    /cases/{case_id}/safety-plan                      200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
PUT    /cases/{case_id}/safety-plan [first]              201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
POST   /home-visits [to the case]                        201 201 201 403 403  201 201 201 201 403 201 404 201  403 403  404 404 403 403
GET    /home-visits/{home_visit_id} [of the case]        200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
PATCH  /home-visits/{home_visit_id} [of the case]        403 403 403 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
DELETE /home-visits/{home_visit_id} [of the case]        403 403 403 403 403  204 204 204 204 403 204 404 204  403 403  404 404 403 403
GET    /cases/{case_id}/assistance-requests                200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/assistance-requests                201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/assistance-requests/{assistance_request_id}  200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
GET    /assistance-requests/{assistance_request_id}                200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/decision [of another]  403 403 403 403 403  403 403 403 200 403 200 404 200  403 403  403 404 403 403
POST   /assistance-requests/{assistance_request_id}/decision [own]         403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  403 404 403 403
POST   /assistance-requests/{assistance_request_id}/withdraw [own]         200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/withdraw [of another]  200 403 403 403 403  200 403 403 403 403 403 404 403  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/cancel         200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/settle [of another]  403 403 403 403 403  403 403 403 200 403 200 404 200  403 403  403 404 403 403
POST   /assistance-requests/{assistance_request_id}/settle [own]         403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  403 404 403 403
GET    /assistance-requests/{assistance_request_id}/disbursements  200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/disbursements  201 201 201 403 403  201 201 201 201 403 201 404 201  403 403  404 404 403 403
GET    /assistance-requests/{assistance_request_id}/disbursements/{disbursement_id}           200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /assistance-requests/{assistance_request_id}/disbursements/{disbursement_id}/reverse   201 201 201 403 403  201 201 201 201 403 201 404 201  403 403  404 404 403 403

GET    /cases/{case_id}/assignments                      200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
GET    /cases/{case_id}/assignments/{assignment_id}      200 200 200 200 200  200 200 200 200 200 200 404 200  200 404  404 404 404 403
POST   /cases/{case_id}/assignments [caseworker]         201 403 403 403 403  201 201 201 201 201 201 201 201  403 403  404 404 403 403
POST   /cases/{case_id}/assignments [liaison]            201 403 403 403 403  201 201 201 201 201 201 403 201  403 403  404 404 403 403
POST   /cases/{case_id}/assignments [reviewer]           403 403 403 403 403  201 201 201 201 201 201 201 201  403 403  404 404 403 403
POST   /cases/{case_id}/assignments [excluded]           409 403 403 403 403  409 409 409 409 409 409 409 409  403 403  404 404 403 403
DELETE /cases/{case_id}/assignments/{assignment_id} [caseworker]  204 403 403 403 403  204 204 204 204 403 204 404 204  403 403  404 404 403 403
DELETE /cases/{case_id}/assignments/{assignment_id} [reviewer]    403 403 403 403 403  204 204 204 204 403 204 404 204  403 403  404 404 403 403

GET    /cases/{case_id}/exclusions                       200 403 403 403 403  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/exclusions                       201 403 403 403 403  201 201 201 201 201 201 201 201  403 403  404 404 403 403
GET    /cases/{case_id}/exclusions/{exclusion_id}        200 403 403 403 403  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/exclusions/{exclusion_id}/lift   200 403 403 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403

GET    /cases/{case_id}/screening                        200 403 403 403 403  200 200 200 200 200 200 404 200  403 403  404 404 403 403
GET    /cases/{case_id}/screening/{match_id}             200 403 403 403 403  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/screening/{match_id}/answer [of a colleague]     200 403 403 403 403  200 403 403 403 403 403 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/screening/{match_id}/answer [of the lead]        200 403 403 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/erasure                          201 403 403 403 403  201 403 403 201 403 201 404 201  403 403  404 404 403 403
GET    /cases/{case_id}/erasure                          200 403 403 403 403  200 403 403 200 403 200 404 200  403 403  404 404 403 403
DELETE /cases/{case_id}/erasure                          204 403 403 403 403  204 403 403 204 403 204 404 204  403 403  404 404 403 403
POST   /cases/{case_id}/erasure/confirm [held]           409 403 403 403 403  409 403 403 409 403 409 404 409  403 403  404 404 403 403
POST   /cases/{case_id}/outside-reviews [of no signatory]  422 403 403 403 403  422 403 403 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/outside-reviews/{outside_review_id}  200 403 403 403 403  200 403 403 200 403 200 404 200  403 403  404 404 403 403
DELETE /cases/{case_id}/outside-reviews/{outside_review_id}  204 403 403 403 403  204 403 403 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/legal-hold                       200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403
PUT    /cases/{case_id}/legal-hold                       403 403 403 403 403  200 200 200 200 403 200 404 200  403 403  403 404 403 403
DELETE /cases/{case_id}/legal-hold                       403 403 403 403 403  204 204 204 204 403 204 404 204  403 403  403 404 403 403

GET    /break-glass/{grant_id}                           200 404 404 200 404  200 200 200 200 200 200 200 200  403 403  404 404 403 403
POST   /break-glass/{grant_id}/review                    403 403 403 403 403  200 200 200 200 200 200 200 200  403 403  403 404 403 403
GET    /cases/{case_id}/access-report                    200 403 403 403 403  200 403 403 200 403 200 404 200  403 403  404 404 403 403

GET    /cases/{case_id}/whereabouts                      200 200 403 403 403  200 200 403 403 403 403 404 403  403 403  404 404 403 403
PUT    /cases/{case_id}/whereabouts                      200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
PUT    /cases/{case_id}/whereabouts [first]              201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
DELETE /cases/{case_id}/whereabouts                      204 204 204 403 403  204 204 204 403 403 403 404 403  403 403  404 404 403 403

GET    /cases/{case_id}/health                           200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
PUT    /cases/{case_id}/health                           200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
PUT    /cases/{case_id}/health [first]                   201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/attachments                      200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
POST   /cases/{case_id}/attachments                      201 201 201 403 403  201 201 201 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/attachments/{attachment_id}      200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/attachments/{attachment_id}/content  200 200 200 403 403  200 200 200 403 403 403 404 403  403 403  404 404 403 403
DELETE /cases/{case_id}/attachments/{attachment_id}      204 204 204 403 403  204 204 204 403 403 403 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/transfers                        200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/transfers                        201 403 403 403 403  201 403 403 403 403 201 404 403  403 403  404 404 403 403
GET    /cases/{case_id}/transfers/{transfer_id}          200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403
POST   /cases/{case_id}/transfers/{transfer_id}/withdraw 200 403 403 403 403  200 403 403 403 403 200 404 403  403 403  404 404 403 403

POST   /cases [client of the case]                       201 201 201 201 201  201 201 201 201 201 201 404 201  404 404  404 404 404 403
"""  # noqa: E501

# The same before a referral of the case, which other organisations see, too: tests/rows.py says who they are.
BEFORE_A_REFERRAL = """
                                                        c.lead c.assigned c.cover c.glass c.staff s.lead s.assigned s.cover s.reviewer s.glass s.standard s.stub s.leaderless l.assigned l.opener c.hidden s.hidden l.hidden other p.recipient p.inside p.hidden s.recipient
GET    /cases/{case_id}/referrals                        200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  404 404 404 404
POST   /cases/{case_id}/referrals                        201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403  403 403 403 404
GET    /cases/{case_id}/referrals/{referral_id}          200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  404 404 404 404
GET    /referrals/{referral_id}                          200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  200 200 404 200
PATCH  /referrals/{referral_id} [asked here]             200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403  403 403 404 403
PATCH  /referrals/{referral_id} [asked there]            403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  404 404 403 403  200 403 404 200
POST   /referrals/{referral_id}/transitions [cancel]     200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403  200 403 404 200
POST   /referrals/{referral_id}/transitions [complete]   403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  404 404 403 403  200 403 404 200
POST   /referrals/{referral_id}/transitions [mistake]    200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403  403 403 404 403
POST   /referrals/{referral_id}/transitions [accept here]200 200 200 403 403  200 200 200 200 403 200 404 200  403 403  404 404 403 403  403 403 404 403
POST   /referrals/{referral_id}/transitions [accept there]403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  404 404 403 403  200 403 404 200
POST   /referrals/{referral_id}/share                    200 200 200 403 403  200 200 200 403 403 200 404 403  403 403  404 404 403 403  403 403 403 403
GET    /referrals/{referral_id}/receipt                  200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  403 403 404 403
GET    /referrals/{referral_id}/messages                 200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  200 200 404 200
POST   /referrals/{referral_id}/messages                 201 201 201 403 403  201 201 201 403 403 201 404 403  403 403  404 404 403 403  201 403 404 201
GET    /referrals/{referral_id}/messages/{message_id}    200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  200 404 404 200
GET    /fhir/R4/Task/{referral_id}                       200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  200 200 404 200
GET    /fhir/R4/ServiceRequest/{referral_id}             200 200 200 200 200  200 200 200 200 200 200 404 200  403 403  404 404 403 403  200 200 404 200
GET    /fhir/R4/Patient/{referral_id}                    404 404 404 404 404  404 404 404 404 404 404 404 404  403 403  404 404 403 403  200 404 404 200
PUT    /fhir/R4/Task/{referral_id}                       403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  404 404 403 403  200 403 404 200
PATCH  /fhir/R4/Task/{referral_id}                       403 403 403 403 403  403 403 403 403 403 403 404 403  403 403  404 404 403 403  200 403 404 200
"""  # noqa: E501

# Without a case: the register of an organisation (the `other_` columns are of another one), the directory,
# administration.
WITHOUT_A_CASE = """
                                                caseworker supervisor other_caseworker other_supervisor liaison partner auditor admin nobody
GET    /cases                                            200 200 200 200 200 403 403 403 401
POST   /cases                                            201 201 201 201 201 403 403 403 401
GET    /cases/counts                                     200 200 200 200 200 403 403 403 401
GET    /caseload                                         403 200 403 200 403 403 403 403 401
GET    /worklist                                         200 200 200 200 200 403 403 403 401
GET    /break-glass                                      200 200 200 200 403 403 403 403 401
POST   /break-glass [sensitive case]                     201 201 404 404 403 403 403 403 401
POST   /break-glass [standard case]                      409 409 404 404 403 403 403 403 401
POST   /break-glass [blocked]                            409 409 409 409 403 403 403 403 401
GET    /assistance-requests                              200 200 200 200 403 403 403 403 401
GET    /assistance-ledger                                403 200 403 200 403 403 403 403 401
GET    /reports/quarterly                                403 200 403 200 403 403 200 403 401
POST   /reports/quarterly/{period}/submit                403 201 403 201 403 403 403 403 401
GET    /reports/quarterly/{period}/records/{indicator}   403 200 403 200 403 403 200 403 401
GET    /reports/quarterly/{period}/versions              403 200 403 200 403 403 200 403 401
GET    /reports/quarterly/{period}/versions/{number}     403 200 403 404 403 403 200 403 401
GET    /reports/quarterly/{period}/versions/{number}/diff  403 200 403 404 403 403 200 403 401
PUT    /reports/targets/{period}                         403 200 403 200 403 403 403 403 401
GET    /reports/caseload                                 403 200 403 200 403 403 403 403 401
GET    /reports/kpis                                     403 200 403 200 403 403 403 403 401
GET    /exports                                          403 200 403 200 403 403 200 403 401
POST   /exports                                          403 403 403 403 403 403 202 403 401
POST   /exports [again]                                  403 403 403 403 403 403 200 403 401
GET    /exports/{export_id}                              403 200 403 404 403 403 200 403 401
POST   /exports/{export_id}/approve                      403 200 403 404 403 403 403 403 401
GET    /exports/{export_id}/manifest                     403 200 403 404 403 403 200 403 401
GET    /exports/{export_id}/manifest [not released]      403 200 403 404 403 403 409 403 401
GET    /exports/{export_id}/files/{name}                 403 404 403 404 403 403 200 403 401
GET    /exports/{export_id}/files/{name} [risks]         403 200 403 404 403 403 409 403 401
GET    /exports/{export_id}/files/{name} [withdrawn]     403 410 403 404 403 403 410 403 401
GET    /referrals                                        200 200 200 200 403 200 403 403 401
POST   /referrals                                        403 403 403 403 403 201 403 403 401
GET    /fhir/R4/Task                                     200 200 200 200 403 200 403 403 401
GET    /fhir/R4/ServiceRequest                           200 200 200 200 403 200 403 403 401
GET    /fhir/R4/Patient                                  200 200 200 200 403 200 403 403 401
POST   /fhir/R4                                          403 403 403 403 403 200 403 403 401
GET    /fhir/R4/Organization                             200 200 200 200 200 200 403 200 401
GET    /fhir/R4/Organization/{organisation_id}           200 200 200 200 200 200 403 200 401
GET    /fhir/R4/HealthcareService                        200 200 200 200 200 200 403 200 401
GET    /fhir/R4/HealthcareService/{service_id}           200 200 200 200 200 200 403 200 401
GET    /transfers                                        403 200 403 200 403 403 403 403 401
GET    /transfers/{incoming_id}                          403 404 403 200 403 403 403 403 401
POST   /transfers/{incoming_id}/accept [answered]        403 404 403 409 403 403 403 403 401
POST   /transfers/{incoming_id}/decline                  403 404 403 200 403 403 403 403 401
GET    /outside-reviews                                  403 403 403 403 403 403 403 200 401
POST   /outside-reviews/{waiting_id}/complete            403 403 403 403 403 403 403 404 401
POST   /users/{user_id}/handover                         403 200 403 404 403 403 403 403 401
GET    /screening                                        200 200 200 200 403 403 403 403 401
GET    /sync                                             200 200 200 200 200 403 403 403 401
POST   /sync                                             200 200 200 200 200 403 403 403 401
GET    /people                                           200 200 200 200 403 403 403 403 401
POST   /people                                           201 201 201 201 403 403 403 403 401
GET    /people/{person_id} [register]                    200 200 404 404 403 403 403 403 401
PATCH  /people/{person_id} [register]                    200 200 404 404 403 403 403 403 401
GET    /people/{person_id}/links [register]              200 200 404 404 403 403 403 403 401
POST   /people/search                                    200 200 200 200 403 403 403 403 401
POST   /people/matches [register]                        200 200 404 404 403 403 403 403 401
GET    /households                                       200 200 200 200 403 403 403 403 401
POST   /households                                       201 201 201 201 403 403 403 403 401
GET    /households/{household_id}                        200 200 404 404 403 403 403 403 401
PATCH  /households/{household_id}                        200 200 404 404 403 403 403 403 401

GET    /activities                                       200 200 200 200 200 403 403 403 401
POST   /activities                                       201 201 201 201 403 403 403 403 401
GET    /activities/{activity_id}                         200 200 404 404 404 403 403 403 401
PATCH  /activities/{activity_id} [own]                   200 200 404 404 403 403 403 403 401
PATCH  /activities/{activity_id} [of a colleague]        403 200 404 404 403 403 403 403 401
DELETE /activities/{activity_id} [own]                   204 204 404 404 403 403 403 403 401
DELETE /activities/{activity_id} [of a colleague]        403 204 404 404 403 403 403 403 401

GET    /home-visits                                      200 200 200 200 403 403 403 403 401
POST   /home-visits                                      201 201 404 404 403 403 403 403 401
GET    /home-visits/{home_visit_id}                      200 200 404 404 403 403 403 403 401
PATCH  /home-visits/{home_visit_id} [own]                200 200 404 404 403 403 403 403 401
PATCH  /home-visits/{home_visit_id} [of a colleague]     403 200 404 404 403 403 403 403 401
DELETE /home-visits/{home_visit_id} [own]                204 204 404 404 403 403 403 403 401
DELETE /home-visits/{home_visit_id} [of a colleague]     403 204 404 404 403 403 403 403 401

GET    /commitments                                      200 200 200 200 200 403 403 403 401
POST   /commitments                                      201 201 201 201 201 403 403 403 401
GET    /commitments/{commitment_id}                      200 200 404 404 404 403 403 403 401
PATCH  /commitments/{commitment_id} [own]                200 200 404 404 404 403 403 403 401
PATCH  /commitments/{commitment_id} [of a colleague]     403 200 404 404 404 403 403 403 401
DELETE /commitments/{commitment_id} [own]                204 204 404 404 404 403 403 403 401
DELETE /commitments/{commitment_id} [of a colleague]     403 204 404 404 404 403 403 403 401

GET    /feedback                                         200 200 200 200 200 403 403 403 401
POST   /feedback                                         201 201 201 201 201 403 403 403 401
GET    /feedback/{feedback_id}                           200 200 404 404 404 403 403 403 401
PATCH  /feedback/{feedback_id} [own]                     200 200 404 404 404 403 403 403 401
PATCH  /feedback/{feedback_id} [of a colleague]          403 200 404 404 404 403 403 403 401
DELETE /feedback/{feedback_id} [own]                     204 204 404 404 404 403 403 403 401
DELETE /feedback/{feedback_id} [of a colleague]          403 204 404 404 404 403 403 403 401

GET    /businesses                                       200 200 200 200 403 403 403 403 401
POST   /businesses                                       201 201 404 404 403 403 403 403 401
GET    /businesses/{business_id}                         200 200 404 404 403 403 403 403 401
PATCH  /businesses/{business_id} [own]                   200 200 404 404 403 403 403 403 401
PATCH  /businesses/{business_id} [of a colleague]        403 200 404 404 403 403 403 403 401
DELETE /businesses/{business_id} [own]                   204 204 404 404 403 403 403 403 401
DELETE /businesses/{business_id} [of a colleague]        403 204 404 404 403 403 403 403 401

GET    /distributions                                    200 200 200 200 403 403 403 403 401
POST   /distributions                                    201 201 404 404 403 403 403 403 401
GET    /distributions/{distribution_id}                  200 200 404 404 403 403 403 403 401
PATCH  /distributions/{distribution_id} [own]            200 200 404 404 403 403 403 403 401
PATCH  /distributions/{distribution_id} [of a colleague] 403 200 404 404 403 403 403 403 401
DELETE /distributions/{distribution_id} [own]            204 204 404 404 403 403 403 403 401
DELETE /distributions/{distribution_id} [of a colleague] 403 204 404 404 403 403 403 403 401

GET    /services                                         200 200 200 200 200 200 403 200 401
GET    /services/{service_id}                            200 200 200 200 200 200 403 200 401
POST   /services [of the supervisor's]                   403 201 403 403 403 403 403 201 401
POST   /services [of the partner's]                      403 403 403 403 403 201 403 201 401
PATCH  /services/{service_id} [of the supervisor's]      403 200 403 403 403 403 403 200 401
PATCH  /services/{service_id} [of the partner's]         403 403 403 403 403 200 403 200 401
GET    /areas                                            200 200 200 200 200 200 200 200 401
GET    /areas/{code}                                     200 200 200 200 200 200 200 200 401
GET    /codes                                            200 200 200 200 200 200 200 200 401
GET    /staff                                            200 200 200 200 200 403 403 403 401
GET    /me                                               200 200 200 200 200 200 200 200 401
GET    /me/details                                       200 200 200 200 200 200 200 200 401

GET    /imports                                          403 200 403 200 403 403 403 403 401
POST   /imports                                          403 201 403 201 403 403 403 403 401
GET    /imports/{import_id}                              403 200 403 404 403 403 403 403 401
GET    /imports/{import_id}/rows                         403 200 403 404 403 403 403 403 401
POST   /imports/{import_id}/commit                       403 202 403 404 403 403 403 403 401
DELETE /imports/{import_id}                              403 204 403 404 403 403 403 403 401

GET    /webhooks                                         403 403 403 403 403 200 403 403 401
POST   /webhooks                                         403 403 403 403 403 201 403 403 401
GET    /webhooks/{webhook_id} [own]                      403 403 403 403 403 200 403 403 401
GET    /webhooks/{webhook_id} [of another]               403 403 403 403 403 404 403 403 401
PATCH  /webhooks/{webhook_id} [own]                      403 403 403 403 403 200 403 403 401
PATCH  /webhooks/{webhook_id} [of another]               403 403 403 403 403 404 403 403 401
DELETE /webhooks/{webhook_id} [own]                      403 403 403 403 403 204 403 403 401
DELETE /webhooks/{webhook_id} [of another]               403 403 403 403 403 404 403 403 401
POST   /webhooks/{webhook_id}/rotate-secret [own]        403 403 403 403 403 200 403 403 401
POST   /webhooks/{webhook_id}/rotate-secret [of another] 403 403 403 403 403 404 403 403 401
GET    /webhooks/{webhook_id}/deliveries [own]           403 403 403 403 403 200 403 403 401
GET    /webhooks/{webhook_id}/deliveries [of another]    403 403 403 403 403 404 403 403 401
POST   /webhooks/{webhook_id}/redeliver [own]            403 403 403 403 403 202 403 403 401
POST   /webhooks/{webhook_id}/redeliver [of another]     403 403 403 403 403 404 403 403 401
GET    /events                                           403 403 403 403 403 200 403 403 401

GET    /audit-events                                     403 200 403 200 403 403 200 200 401
GET    /audit-events/verification                        403 403 403 403 403 403 200 200 401
GET    /audit-events/insider-report                      403 200 403 200 403 403 403 403 401
GET    /audit-events/alerts                              403 200 403 200 403 403 403 403 401

GET    /organisations                                    200 200 200 200 200 403 403 200 401
POST   /organisations                                    403 403 403 403 403 403 403 201 401
GET    /organisations/{organisation_id}                  200 200 200 200 200 403 403 200 401
PATCH  /organisations/{organisation_id}                  403 403 403 403 403 403 403 200 401
GET    /organisations/{organisation_id}/clients          403 403 403 403 403 200 403 200 401
POST   /organisations/{organisation_id}/clients          403 403 403 403 403 403 403 201 401
GET    /organisations/{organisation_id}/clients/{client_id}     403 403 403 403 403 200 403 200 401
DELETE /organisations/{organisation_id}/clients/{client_id}     403 403 403 403 403 204 403 204 401
POST   /organisations/{organisation_id}/clients/{client_id}/confirm  403 403 403 403 403 200 403 403 401
GET    /users                                            403 403 403 403 403 403 403 200 401
POST   /users                                            403 403 403 403 403 403 403 201 401
GET    /users/{user_id}                                  403 403 403 403 403 403 403 200 401
PATCH  /users/{user_id}                                  403 403 403 403 403 403 403 200 401
POST   /users/{user_id}/deactivate                       403 403 403 403 403 403 403 200 401
POST   /users/{user_id}/reset-password                   403 403 403 403 403 403 403 200 401
POST   /users/{user_id}/reset-mfa                        403 403 403 403 403 403 403 200 401
POST   /users/{user_id}/confirm [asked by another]       403 200 403 404 403 404 403 403 401
POST   /users/{user_id}/confirm [asked by nobody]        403 404 403 404 403 404 403 409 401
GET    /me/notices                                       200 200 200 200 200 200 200 200 401

POST   /auth/logout                                      204 204 204 204 204 204 204 204 401
GET    /auth/sessions                                    200 200 200 200 200 200 200 200 401
DELETE /auth/sessions/{session_id} [own]                 204 204 204 204 204 204 204 204 401
DELETE /auth/sessions/{session_id} [of another]          404 404 404 404 404 404 404 404 401
POST   /auth/step-up                                     204 204 204 204 204 204 204 204 401
PUT    /me/password                                      204 204 204 204 204 204 204 204 401
POST   /me/totp                                          200 200 200 200 200 200 200 200 401
POST   /me/totp/confirm                                  409 409 409 409 409 409 409 409 401
"""  # noqa: E501

# A referral, and its faces in FHIR.
OF_REFERRALS = ("/referrals", "/fhir/R4/Task", "/fhir/R4/ServiceRequest", "/fhir/R4/Patient")

# Where what is not below /api/v1 begins.
ROOTS = ("/health/", "/.well-known/", "/hsds/", "/fhir/")

# Open to everybody, signed in or not. The token endpoint is asked with the name of nobody; no worker runs.
PUBLIC = """
                                   caseworker admin nobody
POST   /auth/token                        401 401 401
GET    /.well-known/jwks.json             200 200 200
GET    /.well-known/export-keys.json      200 200 200
GET    /health/live                       200 200 200
GET    /hsds/                             200 200 200
GET    /hsds/profile                      200 200 200
GET    /hsds/services                     200 200 200
GET    /hsds/services/{service_id}        200 200 200
GET    /hsds/organizations                200 200 200
GET    /hsds/taxonomies                   200 200 200
GET    /hsds/taxonomy_terms               200 200 200
GET    /fhir/R4/metadata                  200 200 200
GET    /health/ready                      503 503 503
"""

# What a supervisor may do on the stub of a case that she does not see: there a wrong request is explained
# (422), everywhere else it is answered as if the case did not exist.
ON_A_STUB = {
    "POST /cases/{case_id}/assignments",
    "DELETE /cases/{case_id}/assignments/{assignment_id}",
    "POST /cases/{case_id}/exclusions",
    "GET /break-glass/{grant_id}",
    "POST /break-glass/{grant_id}/review",
}
# Of these a caseworker's role is told first, whatever the relation.
FOR_SUPERVISORS = {
    "POST /cases/{case_id}/risk-history/{change_id}/review",
    "PUT /cases/{case_id}/legal-hold",
    "DELETE /cases/{case_id}/legal-hold",
    "POST /assistance-requests/{assistance_request_id}/decision",
    "POST /assistance-requests/{assistance_request_id}/settle",
    "POST /cases/{case_id}/death-review",
}
# Who may not send a file is told so before anything else is looked at.
REFUSED_FIRST = {"POST /cases/{case_id}/attachments"}
HIDDEN = {"l.opener", "c.hidden", "s.hidden", "l.hidden", "other", *OTHER_SIDE}
# Who sees the referral, and nothing else of the case.
OF_THE_REFERRAL = {"p.recipient", "p.inside", "s.recipient"}


# Each relation by itself: a supervisor is staff as well, so the tables above cannot tell which of the two
# gives a right.
RELATIONS = """
                    lead assigned cover liaison reviewer break_glass staff supervisor stub
case:read              1     1      1      1       1          1        1       1        0
case:edit              1     1      1      0       0          0        0       1        0
case:move              1     1      1      0       1          0        0       1        0
case_people:read       1     1      1      0       1          1        1       1        0
case_people:edit       1     1      1      0       0          0        0       1        0
assignment:read        1     1      1      1       1          1        1       1        0
assignment:edit        1     0      0      0       1          0        0       1        1
outside_review:read    1     0      0      0       1          0        0       1        0
outside_review:ask     1     0      0      0       0          0        0       0        0
exclusion:read         1     0      0      0       1          0        0       1        0
exclusion:edit         1     0      0      0       1          0        0       1        1
screening:read         1     0      0      0       1          0        0       1        0
screening:answer       1     0      0      0       1          0        0       1        0
consent:read           1     1      1      0       1          1        1       1        0
consent:edit           1     1      1      0       0          0        0       1        0
consent:confirm        1     1      1      0       1          0        0       1        0
disclosure:read        1     1      1      0       1          1        1       1        0
disclosure:add         1     1      1      0       0          0        0       1        0
disclosure:confirm     1     1      1      0       1          0        0       1        0
death:review           0     0      0      0       1          0        0       1        0
incident:read          1     1      1      0       1          1        1       1        0
incident:edit          1     1      1      0       0          0        0       0        0
follow_up:read         1     1      1      1       1          1        1       1        0
follow_up:plan         1     1      1      0       0          0        0       0        0
follow_up:record       1     1      1      1       1          0        0       1        0
action:read            1     1      1      1       1          1        1       1        0
action:edit            1     1      1      0       0          0        0       0        0
action:complete        1     1      1      1       0          0        0       0        0
assessment:read        1     1      1      0       1          1        1       1        0
assessment:edit        1     1      1      0       0          0        0       0        0
risk:set               1     1      1      0       1          0        0       1        0
risk:review            1     1      1      0       1          0        0       1        0
safety_plan:read       1     1      1      0       1          1        1       1        0
safety_plan:edit       1     1      1      0       0          0        0       0        0
assistance:read        1     1      1      0       1          1        1       1        0
assistance:request     1     1      1      0       0          0        0       1        0
assistance:decide      0     0      0      0       1          0        0       1        0
assistance:pay         1     1      1      0       1          0        0       1        0
note:read              1     1      1      1       1          1        1       1        0
note:add               1     1      1      1       1          1        0       1        0
timeline:read          1     1      1      1       1          1        1       1        0
transfer:read          1     1      1      0       1          1        1       1        0
transfer:edit          1     0      0      0       0          0        0       1        0
referral:read          1     1      1      0       1          1        1       1        0
referral:ask           1     1      1      0       0          0        0       1        0
referral:move          1     1      1      0       0          0        0       1        0
referral:answer        1     1      1      0       1          0        0       1        0
home_visit:read        1     1      1      0       1          1        1       1        0
home_visit:link        1     1      1      0       1          0        0       1        0
access_report:read     1     0      0      0       1          0        0       1        0
whereabouts:read       1     1      0      0       0          0        0       0        0
whereabouts:edit       1     1      1      0       0          0        0       0        0
health:read            1     1      1      0       0          0        0       0        0
health:edit            1     1      1      0       0          0        0       0        0
attachment:read        1     1      1      0       0          0        0       0        0
attachment:edit        1     1      1      0       0          0        0       0        0
erasure:read           1     0      0      0       1          0        0       1        0
erasure:edit           1     0      0      0       1          0        0       1        0
legal_hold:read        1     1      1      0       1          0        0       1        0
legal_hold:edit        1     1      1      0       1          0        0       1        0
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: an operation as OpenAPI names it, a variant of the call, a status per column."""

    method: str
    path: str
    variant: str
    cells: dict[str, int]

    @property
    def key(self) -> str:
        """The operation with its variant."""
        return f"{self.operation} [{self.variant}]" if self.variant else self.operation

    @property
    def operation(self) -> str:
        """`POST /cases/{case_id}/notes`."""
        return f"{self.method} {self.path}"


def rows_of(table: str) -> Iterator[Row]:
    """The lines of a table, of which the first names the columns."""
    head, *lines = [line for line in table.splitlines() if line.strip()]
    columns = head.split()
    for line in lines:
        operation, bracket, rest = line.partition("[")
        variant, _, rest = rest.partition("]") if bracket else ("", "", line)
        words = rest.split() if bracket else operation.split()[2:]
        method, path = operation.split()[:2]
        assert len(words) == len(columns), f"{line.strip()} has {len(words)} cells, not {len(columns)}"
        yield Row(method, path, variant, dict(zip(columns, map(int, words), strict=True)))


def _as_others(rows: Iterator[Row]) -> Iterator[Row]:
    """Before anything but a referral, both its sides are answered as anybody of other organisations is."""
    for row in rows:
        others = {column: row.cells[like] for column, like in OTHER_SIDE.items()}
        yield replace(row, cells=row.cells | others)


CASE_ROWS = (*_as_others(rows_of(BEFORE_A_CASE)), *rows_of(BEFORE_A_REFERRAL))
OTHER_ROWS = tuple(rows_of(WITHOUT_A_CASE))
PUBLIC_ROWS = tuple(rows_of(PUBLIC))


def relation_differences() -> list[str]:
    """Where app.policy gives one relation by itself something else than the table."""
    head, *lines = [line.split() for line in RELATIONS.splitlines() if line.strip()]
    wrong = [
        f"{relation} {permission}"
        for permission, *marks in lines
        for relation, mark in zip(head, marks, strict=True)
        if (Permission(permission) in RELATION_PERMISSIONS[Relation(relation)]) is not (mark == "1")
    ]
    held = {permission.value for permissions in RELATION_PERMISSIONS.values() for permission in permissions}
    return wrong + sorted(held - {permission for permission, *_ in lines})


def behind_the_role_wall(row: Row, column: str) -> int:
    """What the cell would say if every role might try everything: then only the relation speaks."""
    if _sees_the_referral(row, column):
        return row.cells[column]
    if row.path.startswith(OF_REFERRALS) and column == "l.assigned":
        return 404  # the row policies show a liaison none
    if row.path.startswith("/home-visits") and column == "l.assigned":
        return 404  # nor the visits of a case, nor the household
    if row.cells[column] == 403 and (column in HIDDEN or "{grant_id}" in row.path):
        return 404  # only a supervisor reviews, and a liaison knows of no grant
    if column == "l.assigned" and row.key == "GET /people/{person_id} [child]":
        return 404  # the row policies show a liaison no child
    return row.cells[column]


def when_wrong(row: Row, column: str) -> int:
    """The status of the same call with a parameter that does not exist: never says that a case is there."""
    status = _when_wrong(row, column)
    return 400 if status == 422 and row.path.startswith("/fhir/") else status


def _when_wrong(row: Row, column: str) -> int:
    status = row.cells[column]
    if ("{grant_id}" in row.path and status >= 400) or _is_told_of_the_role(row, column):
        return status
    if _sees_the_referral(row, column):
        return 422
    if column == "s.stub":
        return 422 if row.operation in ON_A_STUB else 404
    if column in HIDDEN:
        return 404 if status < 300 else status  # the receipt is no sight of the case
    if (column, row.variant) == ("s.leaderless", "reopen"):
        return 404
    refused_to_liaisons = column == "l.assigned" and status == 403 and row.variant != "caseworkers"
    refused_first = row.operation in REFUSED_FIRST and status == 403
    return 403 if refused_to_liaisons or refused_first else 422


def _is_told_of_the_role(row: Row, column: str) -> bool:
    if row.operation in FOR_SUPERVISORS:
        return column.startswith("c.")
    return row.path.endswith("/share") and column.startswith("p.")


def _sees_the_referral(row: Row, column: str) -> bool:
    return row.path.startswith(OF_REFERRALS) and "{" in row.path and column in OF_THE_REFERRAL
