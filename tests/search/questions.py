"""Runs of many scripts and kinds, and what finds which of them: `(question, names of runs)`.

A question's words must all be there, each anywhere in a run; "" around some: one right after the
other, within one text; * after one: its beginning.
"""

# ruff: noqa: E501 - signs of some scripts are two wide

from __future__ import annotations

# Name -> prompt, an answer.
TEXTS = {
    "cafe": (
        "Où est le Café Zoë, près de l’église Saint-Étienne?",
        "À côté de la mairie; le garçon s'appelle Søren Ærøskøbing. Prix: 12,50 €.",
    ),
    "strasse": (
        "Wie breit ist die Straße vor der Schönbrunner Großmarkthalle?",
        "Überall mindestens 7½ m, sagt Frau Müller-Lüdenscheid. ÄÖÜ äöü ß.",
    ),
    "pho": (
        "Phở bò ở Hà Nội: quán nào ngon nhất?",
        "Quán Phở Gia Truyền, số 49 Bát Đàn, quận Hoàn Kiếm.",
    ),
    "istanbul": ("İstanbul'da ışık nerede satılır?", "Kadıköy çarşısında, ğüşöç harfleriyle."),
    "warsaw": ("Gdzie jest Łódź i co to są żółte gęśle?", "W Polsce, na zachód od Warszawy."),
    "praha": ("Kde je Příbram a Žďár nad Sázavou?", "Čtyři hodiny vlakem z Prahy."),
    "athens": ("Πού είναι η Ακρόπολη της Αθήνας;", "Στον λόφο, με θέα τη θάλασσα και τους ΦΙΛΟΥΣ."),
    "moscow": (
        "Где находится Третьяковская галерея?",
        "В Лаврушинском переулке, ещё у реки. Ёлка.",
    ),
    "cairo": ("أين يقع الأزهر في القاهرة؟", "يَقَعُ جَامِعُ الأَزْهَرِ في وسط المدينـــة، رقم ٤٢."),
    "hebrew": ("איפה נמצא הכותל?", "שָׁלוֹם עוֹלָם, בירושלים."),
    "beijing": (
        "机器学习模型怎么部署到服务器?",
        "先训练模型,再用容器部署。人工智能很重要,学习需要时间。",
    ),
    "taipei": ("台灣的國家圖書館在哪裡?", "在臺北市中山南路,鄰近中正紀念堂。"),
    "tokyo": (
        "東京タワーの高さは何メートルですか?",
        "333メートルです。ひらがなとカタカナ、ガラス。",
    ),
    "seoul": ("한국에서 김치는 어떻게 만들어요?", "배추를 소금에 절이고 고춧가루를 넣습니다."),
    "bangkok": ("วัดพระแก้วอยู่ที่ไหน", "อยู่ในกรุงเทพมหานคร ใกล้แม่น้ำเจ้าพระยา"),
    "delhi": ("दिल्ली में लाल किला कहाँ है?", "पुरानी दिल्ली में, यमुना के पास।"),
    "code": (
        "Why does get_user_by_id raise KeyError in users/views.py?",
        "`self.cache[user_id]` is read before __init__ sets MAX_RETRIES = 3; see "
        "HttpRequest.getUserName(), foo-bar.baz and std::vector<int>. Use v1.2.3, not v1.20.",
    ),
    "web": (
        "What is at https://example.org/docs/api?page=2&sort=desc#intro?",
        "Mail jane.doe+test@mail.example.com or ping 192.168.0.1:8080; see //cdn.example.net/a_b.js.",
    ),
    "cold": (
        "R-404A cold store: keep, retrofit or replace?",
        "Only reclaimed or recycled R-404A may go in. CO₂ needs 120 bar; x² and ﬁne ﬂow. Ⅷ, ①, ½.",
    ),
    "plain": (
        "How should we move our billing to the new ledger?",
        "Move the billing in two steps. The ledger comes first, the new invoices after it. Don't rush.",
    ),
    "moved": (
        "Should the ledger be new, and billing moved?",
        "We moved it in steps of two: first invoices, then the rest. It's 100 % done.",
    ),
    "width": (
        "ＦＵＬＬ ＷＩＤＴＨ １２３ and soft­hyphen, zero​width",
        "Naïve co-operation: résumé.",
    ),
}

QUESTIONS = [
    # words, in any case and any order
    *[("billing", "plain moved"), ("BILLING", "plain moved"), ("Ledger billing", "plain moved")],
    *[("billing ledger new", "plain moved"), ("steps", "plain moved"), ("step", "")],
    *[("invoices", "plain moved"), ("invoice", ""), ("rush", "plain"), ("move", "plain")],
    *[
        ("moved", "moved"),
        ("move moved", ""),
        ("done", "moved"),
        ("100", "moved"),
        ("100 %", "moved"),
    ],
    *[("don't", "plain"), ("dont", ""), ("don’t", "plain"), ("it's", "moved"), ("t", "plain")],
    *[
        ("billing, ledger!", "plain moved"),
        ("billing AND ledger", "moved"),
        ("nil", " ".join(TEXTS)),
    ],
    *[("nil billing", "plain moved"), ("billing rush", "plain"), ("xyzzy", ""), ("nil xyzzy", "")],
    *[
        ("or", "cold web"),
        ("not", "code"),
        ("near", ""),
        ("NOT billing", ""),
        ("new:", "plain moved"),
    ],
    # phrases
    *[('"the billing"', "plain"), ('"billing the"', ""), ('"two steps"', "plain")],
    *[('"steps of two"', "moved"), ('"the new ledger"', "plain"), ('"our billing"', "plain")],
    *[('"new ledger" "two steps"', "plain"), ('"new ledger" moved', ""), ("“two steps”", "plain")],
    *[("„two steps“", "plain"), ("«two steps»", "plain"), ('"two steps', "plain"), ('""', "")],
    *[('"Two   STEPS"', "plain"), ('"steps the"', "plain"), ('"steps. The ledger"', "plain")],
    *[('"ledger move"', ""), ('"after it don\'t rush"', "plain"), ('"billing"', "plain moved")],
    *[('"it nil"', ""), ('"done nil"', ""), ('"nil nil"', ""), ('"moved it in steps"', "moved")],
    # beginnings
    *[("bill*", "plain moved"), ("bil*", "plain moved"), ("BILL*", "plain moved"), ("bi*", "")],
    *[("invoic*", "plain moved"), ("mov*", "plain moved"), ("move*", "plain moved")],
    *[("moved*", "moved"), ("ledgers*", ""), ("recl* or recy*", "cold"), ("retro*", "cold")],
    *[('"two ste*"', "plain"), ('"two ste"*', "plain"), ('"steps of t*"', "")],
    *[("*", ""), ("**", ""), ("bill* rush", "plain"), ("exam*", "web"), ("schön*", "strasse")],
    *[("garc*", "cafe"), ("третьяк*", "moscow"), ("ακρο*", "athens"), ("reclaim*", "cold")],
    *[("reclaimed*", "cold"), ("reclaimedx*", ""), ("b*", "web"), ("billing ru*", "")],
    # accents and letters that are written in several ways
    *[
        ("cafe", "cafe"),
        ("café", "cafe"),
        ("CAFÉ", "cafe"),
        ("cafe\u0301", "cafe"),
        ("zoe", "cafe"),
    ],
    *[
        ("Zoë", "cafe"),
        ("zoé", "cafe"),
        ("eglise", "cafe"),
        ("l'église", "cafe"),
        ("garçon", "cafe"),
    ],
    *[("garcon", "cafe"), ("etienne", "cafe"), ("saint-etienne", "cafe"), ("ou", "cafe")],
    *[("soren", "cafe"), ("Søren", "cafe"), ("aeroskobing", "cafe"), ("ærøskøbing", "cafe")],
    *[("strasse", "strasse"), ("Straße", "strasse"), ("STRASSE", "strasse"), ("strase", "")],
    *[("schonbrunner", "strasse"), ("Schönbrunner", "strasse"), ("uberall", "strasse")],
    *[("grossmarkthalle", "strasse"), ("muller ludenscheid", "strasse"), ("aou", "strasse")],
    *[("müller-lüdenscheid", "strasse"), ("mueller", ""), ("ss", "strasse")],
    *[("pho", "pho"), ("phở", "pho"), ("phơ", "pho"), ("ha noi", "pho"), ("Hà Nội", "pho")],
    *[("dan", "pho"), ("Đàn", "pho"), ("bat dan", "pho"), ("quan", "pho"), ('"gia truyền"', "pho")],
    *[("istanbul", "istanbul"), ("İSTANBUL", "istanbul"), ("ISTANBUL", "istanbul")],
    *[
        ("isik", "istanbul"),
        ("ışık", "istanbul"),
        ("kadikoy", "istanbul"),
        ("carsisinda", "istanbul"),
    ],
    *[("lodz", "warsaw"), ("Łódź", "warsaw"), ("zolte gesle", "warsaw"), ("żółte", "warsaw")],
    *[("pribram", "praha"), ("zdar", "praha"), ("ctyri", "praha"), ("Příbram", "praha")],
    *[("resume", "width"), ("naive", "width"), ("naïve", "width"), ("co-operation", "width")],
    *[("cooperation", ""), ("operation", "width")],
    # Greek and Cyrillic
    *[("ακροπολη", "athens"), ("Ακρόπολη", "athens"), ("ΑΚΡΟΠΟΛΗ", "athens"), ("φιλους", "athens")],
    *[("ΦΊΛΟΥΣ", "athens"), ("θαλασσα", "athens"), ("галерея", "moscow"), ("ГАЛЕРЕЯ", "moscow")],
    *[
        ("еще", "moscow"),
        ("ещё", "moscow"),
        ("елка", "moscow"),
        ("третьяковская галерея", "moscow"),
    ],
    *[('"третьяковская галерея"', "moscow"), ('"галерея третьяковская"', "")],
    # Arabic and Hebrew, with vowels and without
    *[("الأزهر", "cairo"), ("الازهر", "cairo"), ("الأَزْهَرِ", "cairo"), ("القاهرة", "cairo")],
    *[("جامع", "cairo"), ("يقع", "cairo"), ("المدينة", "cairo"), ("المدينـــة", "cairo")],
    *[('"جامع الأزهر"', "cairo"), ('"الأزهر جامع"', ""), ("٤٢", "cairo"), ("42", "cairo")],
    *[("المد*", "cairo"), ("זר", ""), ("הכותל", "hebrew"), ("שלום", "hebrew"), ("שָׁלוֹם", "hebrew")],
    *[("שלום עולם", "hebrew"), ('"עולם שלום"', ""), ("ירוש*", ""), ("בירוש*", "hebrew")],
    # Chinese and Japanese, of one sign, two, four and more
    *[
        ("学", "beijing"),
        ("模", "beijing"),
        ("國", "taipei"),
        ("学习", "beijing"),
        ("模型", "beijing"),
    ],
    *[("型模", ""), ("部署", "beijing"), ("机器学习", "beijing"), ("学习机器", "")],
    *[("人工智能", "beijing"), ("智能人工", ""), ("模型怎么部署到", "beijing"), ("图书馆", "")],
    *[("圖書館", "taipei"), ("國家圖書館", "taipei"), ("臺北", "taipei"), ("中山南路", "taipei")],
    *[("台", "taipei"), ("臺", "taipei"), ("学习 容器", "beijing"), ('"学习需要"', "beijing")],
    *[
        ("学*", "beijing"),
        ("机器学习*", "beijing"),
        ("东京", ""),
        ("東京", "tokyo"),
        ("東", "tokyo"),
    ],
    *[("タワー", "tokyo"), ("ﾀﾜｰ", "tokyo"), ("メートル", "tokyo"), ("333メートル", "tokyo")],
    *[
        ("333", "tokyo"),
        ("33", ""),
        ("ひらがな", "tokyo"),
        ("カタカナ", "tokyo"),
        ("東京タワー", "tokyo"),
    ],
    *[("ガラス", "tokyo"), ("高", "tokyo"), ("何メートル", "tokyo")],
    # Korean, Thai, Hindi
    *[("한국", "seoul"), ("한국에서", "seoul"), ("김치", "seoul"), ("김", "seoul"), ("치김", "")],
    *[("고춧가루", "seoul"), ("가루", "seoul"), ("배추를 소금", "seoul")],
    *[("วัด", "bangkok"), ("พระแก้ว", "bangkok"), ("วัดพระแก้ว", "bangkok"), ("กรุงเทพ", "bangkok")],
    *[("แม่น้ำ", "bangkok"), ("แมนำ", "bangkok"), ("เจ้าพระยา", "bangkok"), ("ก", "bangkok")],
    *[("दिल्ली", "delhi"), ("लाल किला", "delhi"), ("यमुना", "delhi"), ('"किला लाल"', "")],
    # identifiers
    *[("get_user_by_id", "code"), ("get user by id", "code"), ("user_by", "code"), ("by_user", "")],
    *[
        ("user_id", "code"),
        ("id_user", ""),
        ("KeyError", "code"),
        ("keyerror", "code"),
        ("Key", ""),
    ],
    *[("users/views.py", "code"), ("views.py", "code"), ("py.views", ""), ("__init__", "code")],
    *[("MAX_RETRIES", "code"), ("max retries = 3", "code"), ("HttpRequest.getUserName()", "code")],
    *[("getUserName", "code"), ("getuser*", "code"), ("foo-bar.baz", "code"), ("foo-bar", "code")],
    *[("bar-foo", ""), ("std::vector<int>", "code"), ("std::vector", "code"), ("vector::std", "")],
    *[("v1.2.3", "code"), ("v1.2", "code"), ("v1.20", "code"), ("1.2.3", ""), ("v1", "code")],
    *[
        ("self.cache[user_id]", "code"),
        ("cache[0]", ""),
        ("%s' OR 1=1 --", ""),
        ("a') OR ('", "web"),
    ],
    *[("R-404A", "cold"), ("r404a", ""), ("404a", "cold"), ("R 404A", "cold"), ("404", "")],
    *[("CO2", "cold"), ("co₂", "cold"), ("CO₂ 120", "cold"), ("x2", "cold"), ("fine", "cold")],
    *[("flow", "cold"), ("ﬁne", "cold"), ("viii", "cold"), ("120 bar", "cold"), ("12,50", "cafe")],
    # addresses
    *[("https://example.org/docs/api", "web"), ("example.org", "web"), ("example.com", "web")],
    *[("org.example", ""), ("example.org/docs", "web"), ("docs/api?page=2", "web")],
    *[("page=2&sort=desc", "web"), ("sort=asc", ""), ("jane.doe+test@mail.example.com", "web")],
    *[("jane.doe", "web"), ("doe.jane", ""), ("192.168.0.1", "web"), ("192.168.0.1:8080", "web")],
    *[
        ("168.192", ""),
        ("8080", "web"),
        ("a_b.js", "web"),
        ("cdn.example.net", "web"),
        ("#intro", "web"),
    ],
    # forms of one sign
    *[("full width", "width"), ("ｆｕｌｌ", "width"), ("123", "width"), ("１２３", "width")],
    *[
        ("softhyphen", "width"),
        ("zerowidth", "width"),
        ("soft hyphen", ""),
        ("ＢＩＬＬＩＮＧ", "plain moved"),
    ],
    # nothing that could be found, and words that are the index's own
    *[
        ("!!!", ""),
        ("?", ""),
        ("·team", ""),
        ("·o1", ""),
        ("scompleted", ""),
        ("o1", ""),
        ("·", ""),
    ],
    *[("😀", ""), ("billing 😀", "plain moved"), ("\\", ""), ("'", ""), (";", ""), ("(", "")],
]
