import pytest

from pilothouse.api.machinery.errors import NotAcceptable
from pilothouse.apiserver.verbs.forms import Form, negotiate

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def test_what_is_no_object_has_no_table() -> None:
    assert negotiate(TABLE).shape == "Table"
    assert negotiate(f"{TABLE},application/json", tables=False) == Form()
    with pytest.raises(NotAcceptable, match="only the following media types are accepted"):
        negotiate(TABLE, tables=False)
