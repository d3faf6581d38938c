"""The public data sets that segml knows by name, and the folder where they are kept.

Content is checked, not bytes: a file of the right name counts when its rows are right, whoever wrote it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs
import pyarrow as pa

from segml.data import fingerprint as fp
from segml.data.conversion import SpacedText, Workbook
from segml.data.download import Progress
from segml.data.public import PublicData, obtain
from segml.schema import DataError, did_you_mean

RETAIL_SHEETS = ("Year 2009-2010", "Year 2010-2011")
RETAIL_READER = Workbook(
    sheets=RETAIL_SHEETS,
    cells={
        "Invoice": pa.large_string(),
        "StockCode": pa.large_string(),
        "Description": pa.large_string(),
        "Quantity": pa.int64(),
        "InvoiceDate": pa.timestamp("us"),
        "Price": pa.float64(),
        "Customer ID": pa.int64(),
        "Country": pa.large_string(),
    },
)
RETAIL_MEASURES = {
    "rows": fp.rows(),
    **{f"rows of {sheet}": fp.rows("sheet", sheet) for sheet in RETAIL_SHEETS},
    **{f"distinct {name}": fp.distinct(name) for name in ("Invoice", "StockCode", "Customer ID", "Country")},
    **{f"missing {name}": fp.missing(name) for name in RETAIL_READER.types},
    "first InvoiceDate": fp.first("InvoiceDate"),
    "last InvoiceDate": fp.last("InvoiceDate"),
    "sum of Quantity": fp.total("Quantity"),
    "sum of Customer ID": fp.total("Customer ID"),
    "sum of Price, in ten-thousandths": fp.total_money("Price"),
    "sum of Quantity × Price, in ten-thousandths": fp.total_money("Price", times="Quantity"),
    "digest of the rows": fp.row_digest(RETAIL_READER.types),
}
CDNOW_READER = SpacedText(
    types={
        "customer_id": pa.large_string(),
        "date": pa.timestamp("us"),
        "number_of_cds": pa.int64(),
        "dollar_value": pa.float64(),
    },
    date_format="%Y%m%d",
)
CDNOW_MEASURES = {
    "rows": fp.rows(),
    "distinct customer_id": fp.distinct("customer_id"),
    "first date": fp.first("date"),
    "last date": fp.last("date"),
    "sum of number_of_cds": fp.total("number_of_cds"),
    "sum of dollar_value, in ten-thousandths": fp.total_money("dollar_value"),
    "digest of the rows": fp.row_digest(CDNOW_READER.types),
}

# Measured on a copy in use: both sheets of the workbook, one line short in the second.
RETAIL_COPY: Mapping[str, int | str] = {
    "rows": 1_067_370,
    "rows of Year 2009-2010": 525_461,
    "rows of Year 2010-2011": 541_909,
    "distinct Invoice": 53_628,
    "distinct StockCode": 5_305,
    "distinct Customer ID": 5_942,
    "distinct Country": 43,
    "missing Invoice": 0,
    "missing StockCode": 0,
    "missing Description": 4_382,
    "missing Quantity": 0,
    "missing InvoiceDate": 0,
    "missing Price": 0,
    "missing Customer ID": 243_007,
    "missing Country": 0,
    "missing sheet": 0,
    "first InvoiceDate": "2009-12-01 07:45:00",
    "last InvoiceDate": "2011-12-09 12:50:00",
    "sum of Quantity": 10_608_491,
    "sum of Customer ID": 12_633_067_616,
    "sum of Price, in ten-thousandths": 49_626_036_280,
    "sum of Quantity × Price, in ten-thousandths": 192_872_325_680,
    "digest of the rows": "615586781556434290018024",
}
# The published workbook has 1,067,371 lines with a mean quantity of 9.938898, a mean price of 4.649388 and, over
# the 824,364 lines that have one, a mean customer number of 15,324.638504. That leaves room for one line more than
# the copy has: one unit at 18.00, by customer 12680. Six decimals of a mean over a million lines tell the sum of
# prices to ± 0.53. The rows' digest is left out: of that line's texts we know nothing.
RETAIL_PUBLISHED: Mapping[str, int | str] = {
    **{name: figure for name, figure in RETAIL_COPY.items() if name != "digest of the rows"},
    "rows": 1_067_371,
    "rows of Year 2010-2011": 541_910,
    "sum of Quantity": 10_608_491 + 1,
    "sum of Customer ID": 12_633_067_616 + 12_680,
    "sum of Price, in ten-thousandths": 49_626_036_280 + 180_000,
    "sum of Quantity × Price, in ten-thousandths": 192_872_325_680 + 180_000,
}
ONE_POUND = 10_000
NEARLY = {
    "sum of Price, in ten-thousandths": ONE_POUND,
    "sum of Quantity × Price, in ten-thousandths": ONE_POUND,
}

ONLINE_RETAIL_II = PublicData(
    name="online_retail_ii",
    title="Online Retail II: a UK wholesaler of giftware, 2009-12-01 to 2011-12-09",
    url="https://archive.ics.uci.edu/static/public/502/online+retail+ii.zip",
    archive_sha256="572e36277c2390fbfde10664750731e0a86f55e33470d91919085f0408e67bfb",
    archive_bytes=45_622_418,
    member="online_retail_II.xlsx",
    member_sha256="bcbe73b35f5b7babf197fb0cb983a11f5d9ff929078d4aa53d171b1f2df2e980",
    member_limit=45_622_278,
    reader=RETAIL_READER,
    file_name="online_retail_ii.parquet",
    rows=1_067_371,
    disk_bytes=70_000_000,
    fingerprint=fp.Fingerprint(
        RETAIL_READER.types,
        RETAIL_MEASURES,
        (
            fp.Content("the copy that is one line short of the published workbook", RETAIL_COPY),
            fp.Content("the published workbook", RETAIL_PUBLISHED, slack=NEARLY),
        ),
    ),
    columns={
        "customer_id": "Customer ID",
        "order_id": "Invoice",
        "ordered_at": "InvoiceDate",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "Price",
        "region": "Country",
    },
    licence="CC BY 4.0",
    citation=(
        "Chen, D. (2012). Online Retail II [data set]. UCI Machine Learning Repository. https://doi.org/10.24432/C5CG6D"
    ),
)

# Two archives with different checksums are in circulation, so the content is what counts.
CDNOW = PublicData(
    name="cdnow",
    title="CDNOW: a CD shop's customers of early 1997 and what they bought until 1998-06-30",
    url="https://www.brucehardie.com/datasets/CDNOW_master.zip",
    archive_sha256=None,
    archive_bytes=None,
    member="CDNOW_master.txt",
    member_sha256=None,
    member_limit=8_000_000,
    reader=CDNOW_READER,
    file_name="cdnow_master.parquet",
    rows=69_659,
    disk_bytes=4_000_000,
    fingerprint=fp.Fingerprint(
        CDNOW_READER.types,
        CDNOW_MEASURES,
        (
            fp.Content(
                "the master table",
                {
                    "rows": 69_659,
                    "distinct customer_id": 23_570,
                    "first date": "1997-01-01 00:00:00",
                    "last date": "1998-06-30 00:00:00",
                    "sum of number_of_cds": 167_881,
                    "sum of dollar_value, in ten-thousandths": 25_003_156_300,
                    "digest of the rows": "40178221457277347136487",
                },
            ),
        ),
    ),
    columns={
        "customer_id": "customer_id",
        "ordered_at": "date",
        "amount": "dollar_value",
        "quantity": "number_of_cds",
    },
    licence="public research data; for its terms see the authors' page",
    citation=(
        "Fader, P. S. & Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: a case study. Interfaces 31(3), "
        "S94-S107. https://www.brucehardie.com/datasets/"
    ),
)

PUBLIC: Mapping[str, PublicData] = {data.name: data for data in (ONLINE_RETAIL_II, CDNOW)}
"""The public data sets by their names."""


def find(name: str) -> PublicData:
    """Return what is known of a public data set.

    >>> find("cdnow").file_name
    'cdnow_master.parquet'
    """
    if name not in PUBLIC:
        raise DataError(
            f"no public data set is called {name!r}{did_you_mean(name, PUBLIC)}; known: {', '.join(PUBLIC)}"
        )
    return PUBLIC[name]


def data_home() -> Path:
    """Return the folder for public data sets: ``SEGML_DATA_HOME``, else the user's cache folder."""
    chosen = os.environ.get("SEGML_DATA_HOME")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("segml")


def load(name: str, home: Path, progress: Progress | None = None) -> Path:
    """Return the Parquet file of a public data set in ``home``, downloaded if it is not there.

    A file that is there is used when its content is right. For ``online_retail_ii`` two contents are right: a copy
    that is in use, one line short, known row by row; and the published workbook, whose figures must be those of the
    copy and the one line it lacks, where sums of money may differ by one pound because the missing line is known only
    from published means.

    Parameters
    ----------
    progress : called with bytes done and bytes in all; converting counts as much as downloading

    Raises
    ------
    DataError : the name is unknown, the file there has another content, or the data set cannot be fetched
    """
    return fetch(name, home, progress=progress)


def fetch(name: str, home: Path, *, url: str | None = None, progress: Progress | None = None) -> Path:
    """Return the same file as ``load``; ``url`` is another address of the same archive, such as a mirror's."""
    return obtain(find(name), home, url=url, progress=progress)
