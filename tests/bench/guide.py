"""The converter of TensorFlow's migration guide, for `against.py`.

    guide.py SOURCE DESTINATION TIMES

Writes to TIMES, in JSON, how many seconds the import and the conversion took.
https://www.tensorflow.org/guide/migrate/migrating_checkpoints is where it comes from.
"""

import json
import sys
import time
from pathlib import Path

begun = time.perf_counter()
import tensorflow as tf

imported = time.perf_counter()


def convert(source: str, destination: str) -> None:
    reader = tf.train.load_checkpoint(source)
    names = reader.get_variable_to_dtype_map()
    variables = {name: tf.Variable(reader.get_tensor(name)) for name in names}
    tf.train.Checkpoint(vars=variables).save(destination)


if __name__ == "__main__":
    source, destination, times = sys.argv[1:]
    convert(source, destination)
    done = time.perf_counter()
    Path(times).write_text(json.dumps({"import": imported - begun, "convert": done - imported}))
