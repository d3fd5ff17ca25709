"""Files to tables, tables to schemas, parts and arrays; predictions back to files.

`read_table` -> `schema_of` -> `split_rows` or `folds` -> `prepare`; for a trained network
`read_table(expected=schema)` -> `apply_schema` -> `predictions.write_predictions`.
"""

from nndsl.data.inference import schema_of as schema_of
from nndsl.data.preparation import Prepared as Prepared
from nndsl.data.preparation import apply_schema as apply_schema
from nndsl.data.preparation import invert_pictures as invert_pictures
from nndsl.data.preparation import prepare as prepare
from nndsl.data.preparation import raw_arrays as raw_arrays
from nndsl.data.preparation import target_of as target_of
from nndsl.data.reader import read_table as read_table
from nndsl.data.remarks import remarks as remarks
from nndsl.data.schema_file import schema_from_json as schema_from_json
from nndsl.data.schema_file import schema_to_json as schema_to_json
from nndsl.data.series import invert_target as invert_target
from nndsl.data.split import Split as Split
from nndsl.data.split import fold_count as fold_count
from nndsl.data.split import folds as folds
from nndsl.data.split import split_rows as split_rows
from nndsl.data.table import Table as Table
from nndsl.data.table import describe_columns as describe_columns
from nndsl.data.table import fingerprint as fingerprint
