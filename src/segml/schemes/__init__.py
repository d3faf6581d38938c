"""Rule-based schemes: one file a scheme, each a group of thresholds and a rule that labels every customer."""

from segml.schemes.abc import Abc, abc_classes
from segml.schemes.abc_xyz import AbcXyz, abc_xyz_matrix
from segml.schemes.abcdx import Abcdx
from segml.schemes.buying_season import BuyingSeason
from segml.schemes.cohort import Cohort, cohort_names
from segml.schemes.company_size import CompanySize
from segml.schemes.custom import Custom, CustomRules
from segml.schemes.engagement import Engagement
from segml.schemes.expression import Expression
from segml.schemes.firmographic import Geography, IndustryGroup, SupplyRole
from segml.schemes.health import Health
from segml.schemes.lifecycle import Lifecycle, Stage
from segml.schemes.need import Need
from segml.schemes.nested import Nested, NestedLevels
from segml.schemes.order_pattern import OrderPattern
from segml.schemes.price_behaviour import PriceBehaviour
from segml.schemes.product_use import ProductUse
from segml.schemes.renewal import Renewal
from segml.schemes.rfm import Rfm
from segml.schemes.rfm_activity import RfmActivity
from segml.schemes.sales_channel import SalesChannel
from segml.schemes.scheme import Scheme
from segml.schemes.tier import Tier
from segml.schemes.value import Value
from segml.schemes.wallet import GrowthPotential, ShareOfWallet
from segml.schemes.xyz import Xyz, variation

__all__ = [
    "Abc",
    "AbcXyz",
    "Abcdx",
    "BuyingSeason",
    "Cohort",
    "CompanySize",
    "Custom",
    "CustomRules",
    "Engagement",
    "Expression",
    "Geography",
    "GrowthPotential",
    "Health",
    "IndustryGroup",
    "Lifecycle",
    "Need",
    "Nested",
    "NestedLevels",
    "OrderPattern",
    "PriceBehaviour",
    "ProductUse",
    "Renewal",
    "Rfm",
    "RfmActivity",
    "SalesChannel",
    "Scheme",
    "ShareOfWallet",
    "Stage",
    "SupplyRole",
    "Tier",
    "Value",
    "Xyz",
    "abc_classes",
    "abc_xyz_matrix",
    "cohort_names",
    "variation",
]
