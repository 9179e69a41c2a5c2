"""Where the demo plays: Siem Reap, its districts, six rural communes and their villages."""

from typing import NamedTuple

from app.models.codes.people import AreaLevel


class Place(NamedTuple):
    """An area as the NCDD gazetteer has it; `parent` is the code of the area around it."""

    code: str
    level: AreaLevel
    name_km: str
    name_en: str | None
    parent: str | None


# The first is the commune of `liaison1`, the second of `liaison2`.
COMMUNES: tuple[str, ...] = ("170201", "170301", "170703", "170105", "171205", "171301")


def _within(parent: str | None, level: AreaLevel, names: str) -> tuple[Place, ...]:
    """One place per line: code, Khmer name, Latin name, separated by " | "."""
    lines = [line.split(" | ") for line in names.strip().splitlines()]
    return tuple(Place(code.strip(), level, km, en, parent) for code, km, en in lines)


AREAS: tuple[Place, ...] = (
    *_within(
        None,
        AreaLevel.PROVINCE,
        """
        17 | សៀមរាប | Siem Reap
        """,
    ),
    *_within(
        "17",
        AreaLevel.DISTRICT,
        """
        1701 | អង្គរជុំ | Angkor Chum
        1702 | អង្គរធំ | Angkor Thum
        1703 | បន្ទាយស្រី | Banteay Srei
        1704 | ជីក្រែង | Chi Kraeng
        1706 | ក្រឡាញ់ | Kralanh
        1707 | ពួក | Puok
        1709 | ប្រាសាទបាគង | Prasat Bakong
        1710 | សៀមរាប | Siem Reap
        1711 | សូទ្រនិគម | Soutr Nikom
        1712 | ស្រីស្នំ | Srei Snam
        1713 | ស្វាយលើ | Svay Leu
        1714 | វ៉ារិន | Varin
        1715 | រុនតាឯកតេជោសែន | Run Ta Aek Techo Sen
        """,
    ),
    *_within(
        "1702",
        AreaLevel.COMMUNE,
        """
        170201 | ជប់តាត្រាវ | Chob Ta Trav
        """,
    ),
    *_within(
        "1703",
        AreaLevel.COMMUNE,
        """
        170301 | ខ្នារសណ្ដាយ | Khnar Sanday
        """,
    ),
    *_within(
        "1707",
        AreaLevel.COMMUNE,
        """
        170703 | ក្ដីរុន | Kdei Run
        """,
    ),
    *_within(
        "1701",
        AreaLevel.COMMUNE,
        """
        170105 | នគរភាស | Nokor Pheas
        """,
    ),
    *_within(
        "1712",
        AreaLevel.COMMUNE,
        """
        171205 | ប្រីយ៍ | Prei
        """,
    ),
    *_within(
        "1713",
        AreaLevel.COMMUNE,
        """
        171301 | បឹងមាលា | Boeng Mealea
        """,
    ),
    *_within(
        "170201",
        AreaLevel.VILLAGE,
        """
        17020101 | ត្រពាំងទូក | Trapeang Touk
        17020102 | ជប់ | Chub
        17020103 | ប្រាសាទ | Prasat
        17020104 | ទ័ពស្វាយ | Toap Svay
        17020105 | ពងទឹក | Pong Tuek
        """,
    ),
    *_within(
        "170301",
        AreaLevel.VILLAGE,
        """
        17030101 | បន្ទាយស្រី | Banteay Srei
        17030102 | ខ្នារ | Khnar
        17030103 | ប្រីយ៍ | Prei
        17030104 | សណ្ដាយ | Sanday
        17030105 | កកោះជ្រុំ | Karkoh Chrum
        17030106 | ទួលក្រឡាញ់ | Tuol Kralanh
        """,
    ),
    *_within(
        "170703",
        AreaLevel.VILLAGE,
        """
        17070301 | បង្កោង | Bangkaong
        17070302 | ត្រពាំងវែង | Trapeang Veaeng
        17070303 | ព្រៃយាង | Prey Yeang
        17070304 | តាប៉ាង | Ta Pang
        17070305 | ល្បើក | Lbaeuk
        17070306 | គោកពោធិ | Kouk Pou
        17070307 | ក្ដីរុន | Kdei Run
        """,
    ),
    *_within(
        "170105",
        AreaLevel.VILLAGE,
        """
        17010501 | រមៀត | Romiet
        17010502 | ល្បើក | Lbaeuk
        17010503 | សំបួរ | Sambuor
        17010504 | គោកថ្មី | Kouk Thmei
        17010505 | ទន្លេស | Tonle Sa
        17010506 | កុក | Kok
        17010507 | ពង្រ | Pongro
        17010508 | នគរភាស១ | Nokor Pheas Muoy
        17010509 | នគរភាស២ | Nokor Pheas Pir
        17010510 | ជំពូង | Tumpung
        """,
    ),
    *_within(
        "171205",
        AreaLevel.VILLAGE,
        """
        17120501 | ប្រីយ៍១ | Prei Muoy
        17120502 | ប្រីយ៍២ | Prei Pir
        17120503 | ត្រាំសសរ | Tram Sasar
        17120504 | ក្របៅ | Krabau
        17120505 | ក្រូចចារ | Krouch Char
        """,
    ),
    *_within(
        "171301",
        AreaLevel.VILLAGE,
        """
        17130101 | បឹងមាលា | Boeng Mealea
        17130102 | ត្រពាំងឫស្សី | Trapeang Ruessei
        17130103 | ទឹកលិច | Tuek Lich
        17130104 | សក្ដា | Sak Kda
        17130105 | ចាន់ហៀរ | Chan Hear
        17130106 | ទ័ពជ័យ | Torb Chey
        17130107 | ស្រែរបង | Srae Robong
        """,
    ),
)
