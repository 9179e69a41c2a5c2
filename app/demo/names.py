"""Invented names, organisations, addresses and neutral case texts of the demo, in Khmer and Latin script."""

from typing import NamedTuple

from app.models.codes.cases import Category
from app.models.codes.people import OrganisationKind


class Bilingual(NamedTuple):
    """One name or text: `km` in Khmer, `en` romanised or in English."""

    km: str
    en: str


class DemoOrganisation(NamedTuple):
    """An invented organisation; `key` names it inside the demo only."""

    key: str
    kind: OrganisationKind
    name: Bilingual


def _names(listed: str) -> tuple[Bilingual, ...]:
    """Pairs of a Khmer word and its romanisation, separated by "|"."""
    return tuple(Bilingual(*pair.split()) for pair in listed.split("|"))


FAMILY_NAMES: tuple[Bilingual, ...] = _names(
    """
    សុខ Sok | ចាន់ Chan | ស៊ុន Sun | កែវ Keo | គឹម Kim | លី Ly | ហេង Heng | ឈឹម Chhim |
    ម៉ៅ Mao | នួន Nuon | ពេជ្រ Pich | រស់ Ros | សំ Sam | ស៊ិន Sin | ទេព Tep | ទូច Touch |
    យឹម Yim | អ៊ុំ Oum | ឡុង Long | មាស Meas | ប៉ែន Pen | ភួង Phuong | ព្រំ Prum | សេង Seng |
    សឿន Soeun | តាំង Tang | ថន Thon | វ៉ាន់ Vann | ឃុន Khun | ឃួន Khuon | ឈន Chhorn |
    ជា Chea | ឌួង Duong | ឯក Ek | ហ៊ឹម Him | ហោ Hor | កុយ Koy | ឡាយ Lay | ឡេង Leng | លឹម Lim |
    ម៉ុក Mok | ងួន Nguon | អ៊ូច Ouch | ពៅ Pov | សៅ Sao | តេង Teng | អ៊ិន In | យស Yos |
    វង្ស Vong | ខៀវ Khiev | គង់ Kong | ឡោ Lor
    """
)

FEMALE_GIVEN_NAMES: tuple[Bilingual, ...] = _names(
    """
    សុភា Sophea | ចាន់ថា Chantha | ស្រីមុំ Sreymom | ស្រីពៅ Sreypov | ស្រីលីន Sreylin |
    ស្រីនាង Sreyneang | ស្រីនិច Sreynich | ស្រីល័ក្ខ Sreyleak | ស្រីរ័ត្ន Sreyroth |
    ស្រីទូច Sreytouch | បុប្ផា Bopha | ចិន្តា Chenda | កល្យាណ Kalyan | កុសុមា Kosoma |
    មាលា Malea | មករា Makara | នារី Neary | និមល Nimol | ភារម្យ Phearom | ផល្លា Phalla |
    ផល្លី Phally | រតនា Ratana | រំដួល Rumduol | សំណាង Samnang | សារ៉ាត់ Sarath | ស៊ីណា Sina |
    សុខា Sokha | សុខុម Sokhom | សុជាតា Socheata | សុដានី Sodany | សុគន្ធា Sokunthea |
    សុម៉ាលី Somaly | សុនីតា Sonita | សុភាព Sopheap | សុវណ្ណារី Sovannary | ធារី Theary |
    ធីតា Thida | វណ្ណា Vanna | វណ្ណី Vanny | វាសនា Veasna | វិមាន Vimean | រស្មី Raksmey |
    ម៉ារី Mary | មុន្នី Mony | ណារី Nary | ណាវី Navy | នីតា Nita | អូន Oun |
    ភ័ក្ត្រា Pheaktra | ពន្លឺ Ponleu | ពិសី Pisey | ពុទ្ធី Puthy | រ៉ានី Rany | រ៉េត Ret |
    សាវីន Savin | សាវុន Savun | ស៊ីម៉ា Sima | សុធារី Sotheary | ស្រស់ Srors | តារា Dara |
    ដាវី Davy | ដានី Dany | ចន្ធី Chanthy | ចន្នី Channy | ចរិយា Chakriya | ចំប៉ា Champa |
    ចំរើន Chamroeun | ឈុនលី Chhunly | ឈូក Chhouk | គន្ធា Kunthea | លក្ខិណា Leakhena |
    លីដា Lida | លីនណា Linna | ល្អក់ La-ork | ម៉ាលីស Malis | ម្លិះ Mlis | ណាក់ Nak | យាន Yean |
    យុរី Yury | អេង Eng | ហៀង Heang | កញ្ញា Kanha | កន្និកា Kanika | ទេវី Tevy | ដាលីន Dalin |
    សោភ័ណ្ឌ Sophorn | វត្តី Vattey | រុំ Rom
    """
)

MALE_GIVEN_NAMES: tuple[Bilingual, ...] = _names(
    """
    សុខ Sok | ដារ៉ា Dara | វិចិត្រ Vichet | វិសាល Visal | បូរី Borey | បុណ្ណា Bunna |
    ប៊ុនធឿន Bunthoeun | ចន្ធូ Chanthou | ជីវ័ន Chivorn | ជុំ Chum | ធារ៉ា Theara |
    ឧត្តម Oudom | កុសល Kosal | គន្ធី Kunthy | លាង Leang | មករា Makara | ម៉េង Meng |
    មុន្នី Mony | នរិន្ទ Narin | ណារ៉ុង Narong | ផាន Phan | ភារិទ្ធ Phearith |
    ពិសិដ្ឋ Piseth | ពុទ្ធា Puthea | រតនៈ Rotanak | ឫទ្ធី Rithy | រ៉ុង Rong | សំអាត Sam-at |
    សំបូរ Sambo | សារឿន Saroeun | សាវឿន Savoeun | សុភ័ក្រ Sopheak | សុវណ្ណ Sovann |
    សុធា Sothea | ស៊ីថា Sitha | ថុល Thol | ទិត្យ Tith | ទូរ៉ា Toura | វ៉ាន់ណា Vanna |
    វណ្ណៈ Vannak | វាសនា Veasna | វីរៈ Virak | វុទ្ធី Vuthy | យ៉ុន Yon | ហួត Huot |
    កក្កដា Kakada | សីហា Seiha | ធីវុធ Thivuth
    """
)

ORGANISATIONS: tuple[DemoOrganisation, ...] = (
    DemoOrganisation("ngo_1", OrganisationKind.NGO, Bilingual("អង្គការពន្លឺស្ត្រីជនបទ", "Rural Women's Light")),
    DemoOrganisation("ngo_2", OrganisationKind.NGO, Bilingual("អង្គការដៃគូគ្រួសារសុខសាន្ត", "Peaceful Family Partners")),
    DemoOrganisation(
        "council_1",
        OrganisationKind.COMMUNE_COUNCIL,
        Bilingual("ក្រុមប្រឹក្សាឃុំជប់តាត្រាវ", "Chob Ta Trav Commune Council"),
    ),
    DemoOrganisation(
        "council_2",
        OrganisationKind.COMMUNE_COUNCIL,
        Bilingual("ក្រុមប្រឹក្សាឃុំខ្នារសណ្ដាយ", "Khnar Sanday Commune Council"),
    ),
    DemoOrganisation(
        "council_3", OrganisationKind.COMMUNE_COUNCIL, Bilingual("ក្រុមប្រឹក្សាឃុំក្ដីរុន", "Kdei Run Commune Council")
    ),
    DemoOrganisation(
        "council_4",
        OrganisationKind.COMMUNE_COUNCIL,
        Bilingual("ក្រុមប្រឹក្សាឃុំនគរភាស", "Nokor Pheas Commune Council"),
    ),
    DemoOrganisation("council_5", OrganisationKind.COMMUNE_COUNCIL, Bilingual("ក្រុមប្រឹក្សាឃុំប្រីយ៍", "Prei Commune Council")),
    DemoOrganisation(
        "council_6",
        OrganisationKind.COMMUNE_COUNCIL,
        Bilingual("ក្រុមប្រឹក្សាឃុំបឹងមាលា", "Boeng Mealea Commune Council"),
    ),
    DemoOrganisation("health", OrganisationKind.HEALTH, Bilingual("មណ្ឌលសុខភាពផ្ការំដួល", "Phka Rumduol Health Centre")),
    DemoOrganisation(
        "legal_aid",
        OrganisationKind.LEGAL_AID,
        Bilingual("ជំនួយផ្នែកច្បាប់ជញ្ជីងយុត្តិធម៌", "Scales of Justice Legal Aid"),
    ),
)

ADDRESSES: tuple[Bilingual, ...] = (
    Bilingual("ផ្ទះឈើខាងកើតវត្ត", "Wooden house east of the pagoda"),
    Bilingual("ទល់មុខសាលាបឋមសិក្សា", "Opposite the primary school"),
    Bilingual("ជិតអណ្តូងភូមិ", "Near the village well"),
    Bilingual("តាមផ្លូវលំ ជិតដើមអំពិលធំ", "On the side road, near the big tamarind tree"),
    Bilingual("ខាងក្រោយផ្សារភូមិ", "Behind the village market"),
    Bilingual("ផ្ទះទីបីតាមមាត់ប្រឡាយ", "Third house along the canal"),
    Bilingual("ជិតស្ពានឈើ", "Near the wooden bridge"),
    Bilingual("មាត់ស្រះខាងលិចភូមិ", "By the pond, west of the village"),
    Bilingual("ក្រុមទី ២ ជិតរោងម៉ាស៊ីនកិនស្រូវ", "Group 2, near the rice mill"),
    Bilingual("ក្រុមទី ៤ តាមផ្លូវជាតិ", "Group 4, on the national road"),
    Bilingual("ផ្ទះដំបូលស័ង្កសី ជិតសាលាឃុំ", "House with a tin roof, near the commune office"),
    Bilingual("ចុងភូមិ ជាប់វាលស្រែ", "End of the village, beside the rice fields"),
)

# What a case is about, in one sentence and a neutral tone.
SUMMARIES: dict[Category, tuple[Bilingual, ...]] = {
    Category.HEALTH_REFERRAL: (
        Bilingual(
            "សុំការប្រឹក្សាអំពីការពន្យារកំណើត និងជំនួយក្នុងការទៅមណ្ឌលសុខភាព។",
            "Asks for advice on family planning and help to reach the health centre.",
        ),
        Bilingual(
            "ត្រូវការមធ្យោបាយធ្វើដំណើរ និងអ្នកកំដរទៅពិនិត្យសុខភាពនៅមន្ទីរពេទ្យបង្អែក។",
            "Needs transport and company for a check-up at the referral hospital.",
        ),
        Bilingual(
            "ខកខានការពិនិត្យផ្ទៃពោះ ហើយចង់ចាប់ផ្តើមពិនិត្យឡើងវិញ។",
            "Antenatal visits were missed; wishes to start again.",
        ),
        Bilingual("សុំការណាត់ជួបជាសម្ងាត់អំពីសុខភាពបន្តពូជ។", "Asks for a confidential appointment about reproductive health."),
        Bilingual("មានបញ្ហាគេងមិនលក់ ហើយសុំជួបអ្នកប្រឹក្សា។", "Has trouble sleeping and asks to speak with a counsellor."),
        Bilingual(
            "ត្រូវការជំនួយក្នុងការប្រើប្រាស់ប័ណ្ណសមធម៌នៅមណ្ឌលសុខភាព។",
            "Needs help to use the equity card at the health centre.",
        ),
    ),
    Category.DOMESTIC_VIOLENCE: (
        Bilingual(
            "សុំការគាំទ្រដើម្បីមានសុវត្ថិភាពនៅផ្ទះ បានជួបនិយាយជាលើកដំបូងដោយឡែក។",
            "Asks for support to be safe at home; first talk held in private.",
        ),
        Bilingual("សុំព័ត៌មានអំពីសិទ្ធិ និងសេវាដែលមាន។", "Asks for information about rights and services."),
        Bilingual(
            "បច្ចុប្បន្នស្នាក់នៅជាមួយសាច់ញាតិ ហើយសុំប្រឹក្សាផ្នែកច្បាប់។",
            "Stays with relatives for now and asks for legal advice.",
        ),
        Bilingual("ចង់រៀបចំផែនការសុវត្ថិភាពសម្រាប់ខ្លួន និងកូន។", "Wishes to plan for her own and the children's safety."),
        Bilingual(
            "ត្រូវបានមណ្ឌលសុខភាពបញ្ជូនមកក្រោយការពិនិត្យ ហើយសុំការគាំទ្រ។",
            "Was referred by the health centre after a visit; asks for support.",
        ),
        Bilingual("សុំមានអ្នកនិយាយជាមួយ និងការតាមដានជាបន្តបន្ទាប់។", "Asks for someone to talk to and for follow-up visits."),
    ),
    Category.MARITAL_ISSUE: (
        Bilingual("សុំប្រឹក្សាអំពីការបែកគ្នា និងការថែទាំកូន។", "Asks for advice about a separation and the children's care."),
        Bilingual("សួរអំពីរបៀបចុះបញ្ជីអាពាហ៍ពិពាហ៍ដែលបានរៀបតាមប្រពៃណី។", "Asks how a customary marriage can be registered."),
        Bilingual("សុំព័ត៌មានអំពីការលែងលះ និងទ្រព្យសម្បត្តិ។", "Asks for information about divorce and property."),
        Bilingual(
            "ប្តីឬប្រពន្ធធ្វើការឆ្ងាយ សុំប្រឹក្សាអំពីសោហ៊ុយចិញ្ចឹមកូន។",
            "The spouse works away; asks for advice on child support.",
        ),
        Bilingual("សុំនិយាយជាសម្ងាត់អំពីការខ្វែងគំនិតគ្នានៅផ្ទះ។", "Asks to speak in confidence about disagreements at home."),
        Bilingual("ចង់យល់អំពីសិទ្ធិរបស់ខ្លួនមុនពេលចុះហត្ថលេខាលើឯកសារ។", "Wishes to understand her rights before signing a paper."),
    ),
    Category.SOCIAL_ASSISTANCE: (
        Bilingual("គ្រួសារខ្វះស្បៀងរហូតដល់រដូវប្រមូលផល។", "The household lacks food until the harvest."),
        Bilingual("សុំសម្ភារៈសិក្សាសម្រាប់កូនពីរនាក់។", "Asks for school materials for two children."),
        Bilingual(
            "មនុស្សចាស់រស់នៅម្នាក់ឯងសុំឱ្យមានអ្នកមកសួរសុខទុក្ខជាប្រចាំ។",
            "Elderly person living alone asks for regular visits.",
        ),
        Bilingual(
            "ត្រូវការឧបករណ៍ជំនួយការដើរ និងប្រឹក្សាអំពីប័ណ្ណពិការភាព។",
            "Needs a walking aid and advice on the disability card.",
        ),
        Bilingual("ម្តាយមានទារកទើបកើតសុំសម្ភារៈចាំបាច់។", "A mother with a newborn asks for basic items."),
        Bilingual("សុំចូលរៀនវគ្គបណ្តុះបណ្តាលវិជ្ជាជីវៈ។", "Asks to join a vocational course."),
    ),
    Category.FINANCIAL_ASSISTANCE: (
        Bilingual("សុំជំនួយថ្លៃធ្វើដំណើរទៅព្យាបាល។", "Asks for help with the cost of transport to treatment."),
        Bilingual("គ្រួសារជំពាក់បំណុលក្រោយពេលមានជំងឺ។", "The household fell into debt after an illness."),
        Bilingual("សុំជំនួយថវិកាបន្តិចបន្តួចដើម្បីបើកតូបលក់ម្ហូប។", "Asks for a small grant to start a food stall."),
        Bilingual("សុំជំនួយថ្លៃជួលផ្ទះរយៈពេលពីរខែ។", "Asks for help with the rent for two months."),
        Bilingual("បាត់បង់ចំណូលពេលថែទាំកូននៅមន្ទីរពេទ្យ។", "Lost income while caring for a child in hospital."),
        Bilingual("សុំគ្រាប់ពូជ និងឧបករណ៍សម្រាប់ដាំបន្លែ។", "Asks for seeds and tools to grow vegetables."),
    ),
    Category.VITAL_DOCUMENTS: (
        Bilingual("កុមារត្រូវការសំបុត្រកំណើតដើម្បីចុះឈ្មោះចូលរៀន។", "A child needs a birth certificate to enrol in school."),
        Bilingual("បាត់សៀវភៅគ្រួសារ ហើយត្រូវធ្វើថ្មី។", "The family book was lost and must be replaced."),
        Bilingual("សុំជំនួយធ្វើអត្តសញ្ញាណប័ណ្ណ។", "Asks for help to obtain an identity card."),
        Bilingual("ឈ្មោះសរសេរខុសគ្នានៅក្នុងឯកសារពីរ។", "The name is spelled differently in two documents."),
        Bilingual("អាពាហ៍ពិពាហ៍មិនទាន់ចុះបញ្ជី សួរអំពីរបៀបចុះបញ្ជី។", "The marriage is not registered; asks how to do so."),
        Bilingual("ការចុះបញ្ជីកំណើតហួសកំណត់សម្រាប់កុមារអាយុប្រាំពីរឆ្នាំ។", "Late birth registration for a child of seven."),
    ),
    Category.ID_POOR: (
        Bilingual(
            "គ្រួសារមិនមានក្នុងបញ្ជីក្រីក្រ ហើយសុំការសម្ភាស។",
            "The household is not on the ID Poor list and asks for an interview.",
        ),
        Bilingual("ប័ណ្ណក្រីក្របានផុតសុពលភាព។", "The ID Poor card has expired."),
        Bilingual("ត្រូវបញ្ចូលសមាជិកគ្រួសារថ្មីក្នុងប័ណ្ណ។", "A new family member must be added to the card."),
        Bilingual("បានផ្លាស់មកពីឃុំផ្សេង ហើយសុំផ្ទេរប័ណ្ណ។", "Moved from another commune; asks to transfer the card."),
        Bilingual("ប័ណ្ណខូចដោយសារទឹកភ្លៀង។", "The card was damaged in the rain."),
        Bilingual("សួរអំពីមូលហេតុដែលគ្រួសារមិនត្រូវបានជ្រើសរើស។", "Asks why the household was not selected."),
    ),
    Category.LAND_DISPUTE: (
        Bilingual("មានវិវាទព្រំដីជាមួយស្រែជាប់គ្នា។", "A boundary with the neighbouring field is disputed."),
        Bilingual("សុំជំនួយអានកិច្ចសន្យាលក់ដី។", "Asks for help to read a sales contract."),
        Bilingual("ដីមរតកមិនទាន់បានចុះបញ្ជី។", "Inherited land is not yet registered."),
        Bilingual("ផ្លូវរួមត្រូវបានបិទ។", "Access to a shared path is blocked."),
        Bilingual("ស្ត្រីមេម៉ាយសួរអំពីសិទ្ធិបន្តរស់នៅលើដី។", "A widow asks about her right to stay on the land."),
        Bilingual("មានឯកសារពីរសម្រាប់ដីតែមួយកន្លែង។", "Two papers exist for the same plot."),
    ),
    Category.DISASTER_RELIEF: (
        Bilingual("ផ្ទះខូចខាតដោយសារខ្យល់ព្យុះ។", "The house was damaged by a storm."),
        Bilingual("ស្រែលិចទឹក ហើយបាត់បង់គ្រាប់ពូជ។", "The rice field was flooded and the seed lost."),
        Bilingual("អណ្តូងរីងស្ងួត គ្រួសារខ្វះទឹកប្រើប្រាស់។", "The well is dry; the household lacks water."),
        Bilingual("ស្នាក់នៅវត្តចាប់តាំងពីមានទឹកជំនន់។", "Stays in the pagoda since the flood."),
        Bilingual("បាត់បង់សម្ភារៈផ្ទះបាយ និងភួយដោយសារអគ្គិភ័យ។", "Lost kitchen items and blankets in a fire."),
        Bilingual("ត្រូវការស្បៀង និងមុងក្រោយភ្លៀងធ្លាក់ខ្លាំង។", "Needs food and mosquito nets after heavy rain."),
    ),
}

# What a caseworker writes after a contact.
NOTES: dict[Category, tuple[Bilingual, ...]] = {
    Category.HEALTH_REFERRAL: (
        Bilingual(
            "បានពន្យល់អំពីការណាត់ជួប អ្នកទទួលសេវាដឹងថ្ងៃ និងទីកន្លែង។",
            "Appointment explained; the client knows the day and the place.",
        ),
        Bilingual(
            "បានទៅមណ្ឌលសុខភាពជាមួយគ្នា អ្នកទទួលសេវាត្រូវបានពិនិត្យនៅថ្ងៃដដែល។",
            "Went together to the health centre; the client was seen the same day.",
        ),
        Bilingual("បានរៀបចំមធ្យោបាយធ្វើដំណើរសម្រាប់ការពិនិត្យលើកក្រោយ។", "Transport for the next visit is arranged."),
        Bilingual("អ្នកទទួលសេវាចង់ឱ្យទាក់ទងនៅពេលព្រឹក។", "The client prefers to be contacted in the morning."),
        Bilingual("មណ្ឌលសុខភាពសុំឱ្យត្រឡប់ទៅវិញក្នុងរយៈពេលពីរសប្តាហ៍។", "The health centre asks to come back in two weeks."),
        Bilingual("បានឆ្លើយសំណួររួចរាល់ មិនទាន់មានតម្រូវការបន្ថែមទេ។", "Questions were answered; no further need for now."),
    ),
    Category.DOMESTIC_VIOLENCE: (
        Bilingual(
            "បានជួបនៅកន្លែងសុវត្ថិភាព និងបានពិនិត្យផែនការសុវត្ថិភាពជាមួយគ្នា។",
            "Met in a safe place; the safety plan was read through together.",
        ),
        Bilingual(
            "អ្នកទទួលសេវាសម្រេចជំហានបន្ទាប់ដោយខ្លួនឯង បានពន្យល់អំពីជម្រើស។",
            "The client decides herself about the next step; options were explained.",
        ),
        Bilingual("គ្មានហេតុការណ៍ថ្មីចាប់តាំងពីការជួបលើកមុន។", "No new incident since the last visit."),
        Bilingual(
            "ពេលវេលាទាក់ទងដោយសុវត្ថិភាពបានផ្លាស់ប្តូរ ហើយបានកែប្រែកំណត់ត្រារួច។",
            "The time for safe contact has changed; the record was updated.",
        ),
        Bilingual("បានបញ្ជាក់ការណាត់ជួបជាមួយជំនួយផ្នែកច្បាប់។", "Appointment with legal aid confirmed."),
        Bilingual(
            "អ្នកទទួលសេវាមានអារម្មណ៍ស្ងប់ជាងមុន ហើយសុំជួបម្តងទៀតនៅសប្តាហ៍ក្រោយ។",
            "The client feels calmer and asks for another visit next week.",
        ),
    ),
    Category.MARITAL_ISSUE: (
        Bilingual("បានពន្យល់អំពីសិទ្ធិ និងជម្រើសដោយគ្មានការបង្ខំ។", "Rights and choices were explained without pressure."),
        Bilingual("អ្នកទទួលសេវាសុំពេលគិត ហើយបានណាត់ជួបលើកក្រោយ។", "The client takes time to think; next talk agreed."),
        Bilingual("បានប្រមូលឯកសារសម្រាប់ជំនួយផ្នែកច្បាប់។", "Papers for legal aid were collected."),
        Bilingual("កូនៗទៅរៀនធម្មតា មិនមានតម្រូវការបន្ទាន់ទេ។", "The children go to school; no urgent need reported."),
        Bilingual("បានផ្តល់ខិត្តប័ណ្ណព័ត៌មាននៅការិយាល័យ។", "Information leaflet given at the office."),
        Bilingual("អ្នកទទួលសេវាសុំជួបតែនៅការិយាល័យប៉ុណ្ណោះ។", "The client asks to be met at the office only."),
    ),
    Category.SOCIAL_ASSISTANCE: (
        Bilingual("បានបញ្ជាក់តម្រូវការពេលចុះសួរសុខទុក្ខតាមផ្ទះ។", "Need confirmed during a home visit."),
        Bilingual("បានប្រគល់សម្ភារៈ និងបានផ្តិតមេដៃលើបង្កាន់ដៃ។", "Items handed over; receipt signed with a thumbprint."),
        Bilingual("សាលារៀនយល់ព្រមទុកកន្លែងសិក្សា។", "The school agreed to keep the place."),
        Bilingual("អ្នកជិតខាងជួយរកទឹក និងអុស។", "The neighbour helps with water and firewood."),
        Bilingual("បានផ្ញើសំណើទៅអ្នកត្រួតពិនិត្យករណីដើម្បីសម្រេច។", "Request sent to the supervisor for a decision."),
        Bilingual("បានគ្រោងចុះសួរសុខទុក្ខលើកក្រោយបន្ទាប់ពីថ្ងៃបុណ្យ។", "Next visit planned after the holidays."),
    ),
    Category.FINANCIAL_ASSISTANCE: (
        Bilingual("បានពិនិត្យការចំណាយជាមួយបង្កាន់ដៃរួមគ្នា។", "Costs were reviewed together with the receipts."),
        Bilingual(
            "បានពន្យល់អំពីសំណើ ការសម្រេចត្រូវការពេលរហូតដល់មួយសប្តាហ៍។",
            "The request was explained; the decision takes up to a week.",
        ),
        Bilingual("បានទទួលប្រាក់គ្រប់ចំនួន និងបានរក្សាទុកបង្កាន់ដៃ។", "Payment received in full, receipt kept."),
        Bilingual("តូបលក់ម្ហូបបានបើក និងរកចំណូលបានបន្តិចបន្តួចរាល់ថ្ងៃ។", "The food stall is open and earns a little every day."),
        Bilingual("បានផ្តល់ប្រឹក្សាអំពីការកត់ត្រាចំណូលចំណាយសាមញ្ញ។", "Advice given on keeping a simple cash book."),
        Bilingual("បានគ្រោងផ្តល់ជំនួយផ្នែកទីពីរនៅខែក្រោយ។", "A second part of the grant is planned for next month."),
    ),
    Category.VITAL_DOCUMENTS: (
        Bilingual("បានបំពេញពាក្យស្នើសុំជាមួយគ្នានៅសាលាឃុំ។", "The form was filled in together at the commune office."),
        Bilingual("បានរកសាក្សីពីរនាក់រួចហើយ។", "Two witnesses have been found."),
        Bilingual("សាលាឃុំសុំច្បាប់ចម្លងសៀវភៅគ្រួសារ។", "The commune office asks for a copy of the family book."),
        Bilingual("ឯកសាររួចរាល់ហើយ អាចទៅយកបាន។", "The document is ready and can be collected."),
        Bilingual("មន្ត្រីអត្រានុកូលដ្ឋានបានកែអក្ខរាវិរុទ្ធរួចហើយ។", "The spelling was corrected by the civil registrar."),
        Bilingual("មិនមានការទារកម្រៃទេ។", "No fee was asked for."),
    ),
    Category.ID_POOR: (
        Bilingual("ឃុំបានកំណត់ថ្ងៃសម្ភាស។", "Interview date given by the commune."),
        Bilingual("បានរៀបចំចម្លើយរបស់គ្រួសារជាមួយគ្នា។", "The household's answers were prepared together."),
        Bilingual("គណៈកម្មការបានចុះពិនិត្យដល់ផ្ទះ។", "The committee visited the house."),
        Bilingual("ប័ណ្ណថ្មីបានមកដល់ហើយ។", "The new card has arrived."),
        Bilingual("បានដាក់ពាក្យបណ្តឹងតវ៉ា។", "The complaint form was handed in."),
        Bilingual("បានពន្យល់អំពីការប្រើប្រាស់ប័ណ្ណនៅមណ្ឌលសុខភាព។", "Use of the card at the health centre was explained."),
    ),
    Category.LAND_DISPUTE: (
        Bilingual("បានថតចម្លងឯកសារ និងប្រគល់ជូនវិញ។", "Copies of the papers were made and returned."),
        Bilingual("ការិយាល័យសុរិយោដីបានកំណត់ថ្ងៃវាស់វែង។", "The land office gave a date for measuring."),
        Bilingual("បានស្តាប់ភាគីទាំងពីរដោយឡែកពីគ្នា។", "Both sides were heard separately."),
        Bilingual("ជំនួយផ្នែកច្បាប់បានពន្យល់អំពីជំហាន និងការចំណាយ។", "Legal aid explained the steps and the costs."),
        Bilingual("ឃុំនឹងដាក់បង្គោលព្រំដី។", "The commune will put up boundary posts."),
        Bilingual("មិនទាន់មានការផ្លាស់ប្តូរ រង់ចាំការសម្រេចនៅខែក្រោយ។", "No change; the decision is expected next month."),
    ),
    Category.DISASTER_RELIEF: (
        Bilingual("បានពិនិត្យការខូចខាត និងថតរូបដោយមានការអនុញ្ញាត។", "Damage seen and photographs taken with permission."),
        Bilingual("បានប្រគល់អង្ករ និងទឹកបរិសុទ្ធ។", "Rice and drinking water were handed over."),
        Bilingual("បានជួសជុលដំបូលហើយ គ្រួសារបានត្រឡប់មកផ្ទះវិញ។", "The roof is repaired; the family is back home."),
        Bilingual("បានចុះឈ្មោះក្នុងបញ្ជីសង្គ្រោះរបស់ឃុំ។", "Registered on the commune's relief list."),
        Bilingual("បានសន្យាផ្តល់គ្រាប់ពូជសម្រាប់រដូវក្រោយនៅខែឧសភា។", "Seeds for the next season are promised for May."),
        Bilingual("ផ្លូវអាចធ្វើដំណើរបានវិញហើយ។", "The road is passable again."),
    ),
}
