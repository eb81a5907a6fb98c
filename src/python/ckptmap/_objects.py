"""What TensorFlow and Keras are asked: the user's own objects, and nothing of theirs but values is
changed."""

from __future__ import annotations

from typing import Any, Optional

from ._errors import Error, RestoreError

HOW_TO_BUILD = (
    "call it once on an input, as `model(inputs)`, or build it with `model.build(input_shape)`, "
    "so that its variables exist; then restore"
)
COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"
# Entries of a checkpoint that say nothing of a model.
NO_VARIABLES = ("_CHECKPOINTABLE_OBJECT_GRAPH", COUNTER)


def _tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise Error(
            "`restore` needs TensorFlow, which cannot be imported; `ckptmap.convert` does without"
        ) from error
    if not tensorflow.executing_eagerly():
        raise Error("`restore` needs eager execution; `ckptmap.convert` does without TensorFlow")
    return tensorflow


def checkpoint_of(model: Any, optimizer: Optional[Any]) -> Any:
    """The checkpoint that has all variables. One that was given is taken as it is."""
    tf = _tensorflow()
    if isinstance(model, tf.train.Checkpoint):
        if optimizer is not None:
            raise TypeError(
                "a `tf.train.Checkpoint` has its optimizer in it: "
                "tf.train.Checkpoint(model=model, optimizer=optimizer)"
            )
        children = tf.train.TrackableView(model).children(model)
        for name, child in children.items():
            if hasattr(child, "layers"):
                _assert_built(child, f"the model `{name}` of the checkpoint")
        return model
    _assert_built(model, "the model")
    objects = {"model": model}
    if optimizer is None:
        # Of a model that is compiled: it is in the checkpoint in any case.
        optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        build(optimizer, model)
        objects["optimizer"] = optimizer
    for one in objects.values():
        try:
            tf.train.Checkpoint(one=one)
        except ValueError as error:
            raise TypeError(
                f"neither a `tf.train.Checkpoint` nor something that it can hold: {type(one).__name__}"
            ) from error
    return tf.train.Checkpoint(**objects)


def _assert_built(model: Any, called: str) -> None:
    try:
        variables = getattr(model, "variables", True)
    except ValueError:
        # So say some models of Keras 2.
        variables = []
    if not variables:
        raise Error(f"{called} has no variables yet: {HOW_TO_BUILD}")


def build(optimizer: Any, model: Any) -> None:
    """Makes an optimizer's variables, if it has not made them and can without a step."""
    if getattr(optimizer, "built", getattr(optimizer, "_built", False)) is True:
        return
    variables = getattr(model, "trainable_variables", None)
    if variables is None:
        raise TypeError(
            f"a {type(model).__name__} does not say which variables the optimizer trains: build the "
            "optimizer first, and pass tf.train.Checkpoint(…=…, optimizer=optimizer)"
        )
    # The optimizers before Keras 2.11 have no `build`, but this.
    for name in ("build", "_create_all_weights"):
        method = getattr(optimizer, name, None)
        if callable(method):
            method(variables)
            return


def _assert_reached(checkpoint: Any) -> None:
    """What no attribute leads to is in no checkpoint, and TensorFlow never says so."""
    view = _tensorflow().train.TrackableView(checkpoint)
    reached = {id(one) for one in view.descendants()}
    for name, model in view.children(checkpoint).items():
        if not hasattr(model, "layers"):
            continue
        lost = [one for one in model.weights if id(one) not in reached]
        if lost:
            shown = ", ".join(f"`{getattr(one, 'path', one.name)}`" for one in lost[:3])
            more = ", …" if len(lost) > 3 else ""
            raise Error(
                f"{len(lost)} of the {len(model.weights)} variables of `{name}` are in no checkpoint "
                f"that TensorFlow writes of it: {shown}{more}; Keras 3 does not track layers in a "
                "Python list or dictionary: give each an attribute of its own "
                "(`self.body_0 = …`), or use `keras.Sequential`"
            )


def write(checkpoint: Any, prefix: str) -> bool:
    """Writes it as it is: `save` would count, and name what it wrote. Says whether it has a counter,
    as those have that were saved before."""
    _assert_reached(checkpoint)
    checkpoint.write(prefix)
    names = _tensorflow().train.load_checkpoint(prefix).get_variable_to_shape_map()
    if not set(names) - set(NO_VARIABLES):
        raise Error(f"the checkpoint has no variables yet: if it has a model, {HOW_TO_BUILD}")
    return COUNTER in names


def read(checkpoint: Any, new: str, before: str) -> None:
    """Reads the result. If it is not taken over as a whole, the values before are put back."""
    try:
        status = checkpoint.read(new)
        status.assert_consumed()
        status.assert_existing_objects_matched()
    except BaseException as error:
        checkpoint.read(before)
        if isinstance(error, AssertionError):
            raise RestoreError(
                f"TensorFlow did not restore all of it, so the values are as before: {error}"
            ) from error
        raise


