"""The words of the risk page in both languages, for people who have never heard of k-anonymity."""

from app.models.report import Words


def _w(en: str, km: str) -> Words:
    return Words(en=en, km=km)


PAGE = {
    "title": _w("What this export tells, and what it hides", "អ្វីដែលទិន្នន័យនេះប្រាប់ និងអ្វីដែលវាលាក់"),
    "contents": _w("Contents", "មាតិកា"),
    "glance": _w("At a glance", "ទិដ្ឋភាពសង្ខេប"),
    "cases": _w("cases of this quarter are in the export", "ករណីក្នុងត្រីមាសនេះមាននៅក្នុងទិន្នន័យ"),
    "smallest": _w("cases at least are alike in every group", "ករណីយ៉ាងតិច ដូចគ្នាក្នុងក្រុមនីមួយៗ"),
    "one_group": _w(
        "cases at least in each table, all of them in one single group",
        "ករណីយ៉ាងតិចក្នុងតារាងនីមួយៗ ដែលទាំងអស់ស្ថិតក្នុងក្រុមតែមួយ",
    ),
    "guess": _w("at most is the share of one answer in any group", "យ៉ាងច្រើន ជាចំណែកនៃចម្លើយតែមួយក្នុងក្រុមណាមួយ"),
    "tables": _w("tables, each with one piece of information", "តារាង ដែលតារាងនីមួយៗមានព័ត៌មានតែមួយ"),
    "attacked": _w("hidden numbers were attacked by calculation", "ចំនួនដែលបានលាក់ ត្រូវបានសាកវាយប្រហារដោយការគណនា"),
    "given_way": _w("of them could be calculated exactly", "ក្នុងចំណោមនោះអាចគណនាបានពិតប្រាកដ"),
    "columns": _w("What is told and what is hidden", "អ្វីដែលប្រាប់ និងអ្វីដែលលាក់"),
    "columns_how": _w(
        "Each table tells one thing only about each case. Nothing links a row of one table to a row of another.",
        "តារាងនីមួយៗប្រាប់រឿងតែមួយប៉ុណ្ណោះអំពីករណីនីមួយៗ។ គ្មានអ្វីភ្ជាប់ជួរនៃតារាងមួយទៅជួរនៃតារាងផ្សេងទេ។",
    ),
    "column": _w("Information", "ព័ត៌មាន"),
    "told": _w("Told", "បានប្រាប់"),
    "withheld": _w("Answer withheld", "ចម្លើយមិនបង្ហាញ"),
    "suppressed": _w("Left out", "បានដកចេញ"),
    "why": _w("What was hidden, and why", "អ្វីដែលបានលាក់ និងមូលហេតុ"),
    "why_never": _w(
        "Names, villages, dates, words that somebody wrote, names of partners, and everything about abortion are in no"
        " export at all.",
        "ឈ្មោះ ភូមិ កាលបរិច្ឆេទ ពាក្យដែលគេបានសរសេរ ឈ្មោះដៃគូ និងអ្វីៗទាំងអស់អំពីការរំលូតកូន មិនមាននៅក្នុងទិន្នន័យណាមួយឡើយ។",
    ),
    "why_consent": _w(
        "A case whose client did not agree that it is counted in statistics is not in the export, and in no number"
        " here.",
        "ករណីដែលម្ចាស់ករណីមិនបានយល់ព្រមឱ្យរាប់ក្នុងស្ថិតិ មិនមានក្នុងទិន្នន័យ ហើយក៏មិនមានក្នុងតួលេខណាមួយនៅទីនេះដែរ។",
    ),
    "why_suppressed": _w(
        "“Left out”: the case stands in a group of too few, for example the only men in a commune, or in one where"
        " nearly all have the same answer. Such rows are not in the table.",
        "«បានដកចេញ»៖ ករណីនោះស្ថិតក្នុងក្រុមដែលមានគ្នាតិចពេក ឧទាហរណ៍ បុរសតែម្នាក់គត់ក្នុងឃុំមួយ"
        " ឬក្នុងក្រុមដែលស្ទើរតែទាំងអស់មានចម្លើយដូចគ្នា។ ជួរបែបនេះមិនមានក្នុងតារាងទេ។",
    ),
    "why_withheld": _w(
        "“Answer withheld”: the row is there, but its answer is rare in its group, or would let a rare one be found by"
        " subtraction. In its place stands the word “withheld”; behind it there are always several different answers.",
        "«ចម្លើយមិនបង្ហាញ»៖ ជួរនោះនៅមាន ប៉ុន្តែចម្លើយរបស់វាកម្រមានក្នុងក្រុម ឬអាចឱ្យគេរកឃើញចម្លើយកម្រដោយធ្វើប្រមាណវិធីដក។"
        " ជំនួសវិញមានពាក្យ «withheld» ដែលនៅពីក្រោយវាតែងមានចម្លើយខុសៗគ្នាច្រើន។",
    ),
    "why_coarser": _w(
        "Where too much would have to be hidden, the table tells less about place, sex and age instead.",
        "នៅកន្លែងដែលត្រូវលាក់ច្រើនពេក តារាងប្រាប់តិចជាងអំពីទីកន្លែង ភេទ និងអាយុ ជំនួសវិញ។",
    ),
    "omitted": _w("Not told at all", "មិនប្រាប់ទាល់តែសោះ"),
    "omitted_how": _w(
        "For these pieces of information there was no way to tell them and keep the promise.",
        "សម្រាប់ព័ត៌មានទាំងនេះ គ្មានវិធីណាប្រាប់វា ហើយរក្សាការសន្យាបានទេ។",
    ),
    "reason": _w("Reason", "មូលហេតុ"),
    "means": _w("What the promise means", "ការសន្យានេះមានន័យដូចម្តេច"),
    "means_not": _w("What the promise does not mean", "អ្វីដែលការសន្យានេះមិនមានន័យ"),
    "details": _w("Each table in detail", "តារាងនីមួយៗដោយលម្អិត"),
    "detail_base": _w("Told beside it", "ប្រាប់នៅក្បែរវា"),
    "detail_why": _w("Why so much and no more", "ហេតុអ្វីប៉ុណ្ណេះ"),
    "detail_k": _w("Smallest group", "ក្រុមតូចបំផុត"),
    "detail_l": _w("Different answers in a group", "ចម្លើយខុសៗគ្នាក្នុងក្រុម"),
    "detail_guess": _w("Best guess of an answer", "ការទាយចម្លើយល្អបំផុត"),
    "detail_t": _w("Distance from the whole", "គម្លាតពីចំនួនសរុប"),
    "detail_find": _w("Chance to point at her row", "ឱកាសចង្អុលត្រូវជួររបស់នាង"),
    "check": _w("How to check this", "របៀបផ្ទៀងផ្ទាត់"),
    "check_how": _w(
        "Whoever has the files can check without any connection that none of them was changed, and that they keep the"
        " promise. On a computer with Samaki:",
        "អ្នកដែលមានឯកសារ អាចផ្ទៀងផ្ទាត់ដោយមិនបាច់មានអ៊ីនធឺណិតថា គ្មានឯកសារណាត្រូវបានកែទេ ហើយថាវារក្សាការសន្យា។"
        " នៅលើកុំព្យូទ័រដែលមាន Samaki៖",
    ),
    "rules": _w("Rules", "វិធាន"),
}

# With something to fill in. Lists are read in this order.
FILLED = {
    "frozen": _w(
        "Frozen on {moment} (time in Phnom Penh). It does not change any more: everybody who may"
        " read it gets the same files.",
        "បានបង្កកនៅ{moment} (ម៉ោងភ្នំពេញ)។ វាមិនប្រែប្រួលទៀតទេ៖ អ្នកទាំងអស់ដែលមានសិទ្ធិអានទទួលបានឯកសារដូចគ្នា។",
    ),
    "rules": _w("{name}, version {version}", "{name} កំណែទី {version}"),
    "percent": _w("{n}\N{NO-BREAK SPACE}%", "{n}\N{NO-BREAK SPACE}%"),
    "one_in": _w("1 in {n}", "១ ក្នុង {n}"),
    "cases": _w("{n} cases", "{n} ករណី"),
    "one_group": _w("{n} cases, the only group", "{n} ករណី ជាក្រុមតែមួយគត់"),
    "at_least": _w("at least {n}", "យ៉ាងតិច {n}"),
    "at_most": _w("at most {n}", "យ៉ាងច្រើន {n}"),
    "chart": _w("{name}: how many of {n} cases are told", "{name}៖ ប្រាប់ប៉ុន្មានក្នុងចំណោម {n} ករណី"),
    "cell": _w("{label}: {value}.", "{label}៖ {value}។"),
}

MEANS = (
    _w(
        "Somebody who knows everything that the tables say beside the answer about a woman (her commune, her sex,"
        " her age), and knows that she is in them, still finds at least {k} rows that could be hers.",
        "ទោះបីអ្នកណាម្នាក់ដឹងអ្វីៗទាំងអស់ដែលតារាងប្រាប់នៅក្បែរចម្លើយអំពីស្ត្រីម្នាក់ (ឃុំ ភេទ អាយុរបស់នាង)"
        " ហើយដឹងថានាងមានក្នុងនោះ ក៏គេនៅតែឃើញយ៉ាងតិច {k} ជួរដែលអាចជារបស់នាង។",
    ),
    _w(
        "Those rows have different answers. No answer is that of more than {posterior} of them, so that"
        " nobody can be sure.",
        "ជួរទាំងនោះមានចម្លើយខុសៗគ្នា។ គ្មានចម្លើយណាមានលើសពី {posterior} ទេ ដូច្នេះគ្មាននរណាអាចប្រាកដបានឡើយ។",
    ),
    _w(
        "No hidden number can be calculated exactly from what is told: not from one table, not from all of them, and"
        " not together with what was told before of the same cases.",
        "គ្មានចំនួនដែលបានលាក់ណាមួយ អាចគណនាបានពិតប្រាកដចេញពីអ្វីដែលបានប្រាប់ទេ៖ មិនមែនពីតារាងមួយ មិនមែនពីតារាងទាំងអស់រួមគ្នា"
        " ហើយក៏មិនមែនរួមជាមួយអ្វីដែលបានប្រាប់ពីមុនអំពីករណីដដែល។",
    ),
    _w(
        "The written files were read once more by a second program, which found the same numbers.",
        "ឯកសារដែលបានសរសេរ ត្រូវបានអានម្តងទៀតដោយកម្មវិធីទីពីរ ដែលរកឃើញតួលេខដូចគ្នា។",
    ),
)

MEANS_NOT = (
    _w(
        "It does not mean that nothing can be learned about a group. If most cases of a commune are of one kind, the"
        " table says so, and people of that commune may be judged by it.",
        "វាមិនមានន័យថាគេមិនអាចដឹងអ្វីអំពីក្រុមមួយទេ។ បើករណីភាគច្រើនក្នុងឃុំមួយជាប្រភេទតែមួយ តារាងប្រាប់ដូច្នេះ"
        " ហើយមនុស្សក្នុងឃុំនោះអាចត្រូវគេវិនិច្ឆ័យតាមវា។",
    ),
    _w(
        "It does not protect against somebody who knows the answers of the others in the group, for example because"
        " they told him.",
        "វាមិនការពារប្រឆាំងនឹងអ្នកដែលដឹងចម្លើយរបស់អ្នកផ្សេងទៀតក្នុងក្រុមទេ ឧទាហរណ៍ ព្រោះពួកគេបានប្រាប់។",
    ),
    _w(
        "“Left out” and “withheld” do not mean zero: such cases happened and were worked on.",
        "«បានដកចេញ» និង «មិនបង្ហាញ» មិនមានន័យថាសូន្យទេ៖ ករណីទាំងនោះបានកើតឡើង ហើយមានគេធ្វើការលើវា។",
    ),
    _w(
        "It holds for these files as they are. Whoever lays them beside lists from elsewhere, or tries to find people,"
        " breaks the agreement under which they were given.",
        "វាមានសុពលភាពសម្រាប់ឯកសារទាំងនេះតាមសភាពដើម។ អ្នកដែលយកវាទៅប្រៀបជាមួយបញ្ជីពីកន្លែងផ្សេង ឬព្យាយាមរកមនុស្ស"
        " រំលោភលើកិច្ចព្រមព្រៀងដែលអនុញ្ញាតឱ្យប្រើវា។",
    ),
)

# What is told beside the answer, by rung.
RUNGS = {
    "commune_sex_age": _w("commune, sex and age (00-17, 18-59, 60+)", "ឃុំ ភេទ និងអាយុ (00-17, 18-59, 60+)"),
    "commune_sex": _w("commune and sex", "ឃុំ និងភេទ"),
    "commune": _w("commune", "ឃុំ"),
    "all": _w("nothing else", "គ្មានអ្វីផ្សេងទៀត"),
}

# What is told beside the answer by any table at all, by the finest rung that one has.
BESIDE = {
    "commune_sex_age": _w(
        "Some tables tell commune, sex and age (00-17, 18-59, 60+) beside the answer; others may tell less.",
        "តារាងខ្លះប្រាប់ឃុំ ភេទ និងអាយុ (00-17, 18-59, 60+) នៅក្បែរចម្លើយ។ តារាងផ្សេងទៀតអាចប្រាប់តិចជាងនេះ។",
    ),
    "commune_sex": _w(
        "No table tells age. Some tell commune and sex beside the answer; others may tell less.",
        "គ្មានតារាងណាប្រាប់អាយុទេ។ តារាងខ្លះប្រាប់ឃុំ និងភេទនៅក្បែរចម្លើយ។ តារាងផ្សេងទៀតអាចប្រាប់តិចជាងនេះ។",
    ),
    "commune": _w(
        "No table tells sex or age. Some tell the commune beside the answer; others may not even tell that.",
        "គ្មានតារាងណាប្រាប់ភេទ ឬអាយុទេ។ តារាងខ្លះប្រាប់ឃុំនៅក្បែរចម្លើយ។ តារាងផ្សេងទៀតអាចមិនប្រាប់សូម្បីតែឃុំ។",
    ),
    "all": _w(
        "No table of this export tells place, sex or age: each counts the answers of the whole quarter as one group.",
        "គ្មានតារាងណាក្នុងទិន្នន័យនេះប្រាប់ទីកន្លែង ភេទ ឬអាយុទេ៖ តារាងនីមួយៗរាប់ចម្លើយនៃត្រីមាសទាំងមូលជាក្រុមតែមួយ។",
    ),
}

# By the codes of rungs.py: why a table is as coarse as it is.
WHY = {
    "by_size": _w(
        "By the number of cases in the quarter alone, before anybody looked at the answers.",
        "តាមចំនួនករណីក្នុងត្រីមាសតែប៉ុណ្ណោះ មុនពេលនរណាម្នាក់មើលចម្លើយ។",
    ),
    "base_risk": _w(
        "More about place, sex and age would make too many groups of few cases.",
        "បើប្រាប់ច្រើនជាងនេះអំពីទីកន្លែង ភេទ និងអាយុ នឹងមានក្រុមតូចៗច្រើនពេក។",
    ),
    "too_much_hidden": _w(
        "With more about place, sex and age, too many of the cases would have to be hidden.",
        "បើប្រាប់ច្រើនជាងនេះអំពីទីកន្លែង ភេទ និងអាយុ ត្រូវលាក់ករណីច្រើនពេក។",
    ),
    "tied": _w(
        "Part of this answer and part of another one follow from each other, so the two are hidden together.",
        "ផ្នែកមួយនៃចម្លើយនេះ និងផ្នែកមួយនៃចម្លើយមួយទៀតអាចដឹងពីគ្នាទៅវិញទៅមក ដូច្នេះទាំងពីរត្រូវបានលាក់ជាមួយគ្នា។",
    ),
    "could_be_computed": _w(
        "With more about place, sex and age, a hidden number could have been calculated from other tables or reports.",
        "បើប្រាប់ច្រើនជាងនេះអំពីទីកន្លែង ភេទ និងអាយុ គេអាចគណនាចំនួនដែលបានលាក់ពីតារាង ឬរបាយការណ៍ផ្សេង។",
    ),
}

# By the codes of rungs.py: why a table is not there. Which answer prevails is never said (decision 0043).
OMITTED = {
    "base_risk": _w("Too few cases would be left in the table.", "ករណីដែលនៅសល់ក្នុងតារាងនឹងតិចពេក។"),
    "too_much_hidden": _w("Too many of the cases would have to be hidden.", "ត្រូវលាក់ករណីច្រើនពេក។"),
    "could_be_computed": _w(
        "A hidden number could have been calculated from it together with other tables or reports.",
        "គេអាចគណនាចំនួនដែលបានលាក់ពីតារាងនេះ រួមជាមួយតារាង ឬរបាយការណ៍ផ្សេង។",
    ),
    "one_value_prevails": _w(
        "Nearly all cases have the same answer (often: that nothing is recorded), so that everybody's could be guessed."
        " For the same reason it is not said which.",
        "ករណីស្ទើរតែទាំងអស់មានចម្លើយដូចគ្នា (ជាញឹកញាប់៖ គ្មានអ្វីត្រូវបានកត់ត្រា) ដូច្នេះគេអាចទាយចម្លើយរបស់មនុស្សគ្រប់គ្នា។"
        " ដោយហេតុផលដដែល យើងមិនប្រាប់ថាជាចម្លើយណាទេ។",
    ),
    "gives_another_away": _w(
        "It would give away part of another answer, which cannot be told.",
        "វានឹងបង្ហាញផ្នែកមួយនៃចម្លើយមួយទៀត ដែលមិនអាចប្រាប់បាន។",
    ),
    "too_few_values": _w(
        "There are too few different answers.",
        "មានចម្លើយខុសៗគ្នាតិចពេក។",
    ),
}
