"""URLs, as Go's net/url reads them for a request."""

import pytest

from fakes.cel_expressions import evaluated

FAILED = "error: URL parse error during conversion from string: parse "


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("url('https://user:pass@example.com:80/a').getHost()", "example.com:80"),
        ("url('https://example.com:80/').getHostname()", "example.com"),
        ("url('https://[::1]:80/').getHost()", "[::1]:80"),
        ("url('https://[::1]:80/').getHostname()", "::1"),
        ("url('https://[::1]/').getPort()", ""),
        ("url('https://example.com:80/').getPort()", "80"),
        ("url('HTTPS://example.com/').getScheme()", "https"),
        ("url('/path').getScheme() + url('/path').getHost()", ""),
        ("url('https://example.com').getEscapedPath()", ""),
        ("url('https://example.com/path with spaces/').getEscapedPath()", "/path%20with%20spaces/"),
        ("url('https://example.com/a%2Fb').getEscapedPath()", "/a%2Fb"),
        ("url('https://example.com/é').getEscapedPath()", "/%C3%A9"),
        ("url('https://e.com/p?k1=a&k2=b&k2=c').getQuery()", {"k1": ["a"], "k2": ["b", "c"]}),
        ("url('https://e.com/p?a+b=c%20d&x').getQuery()", {"a b": ["c d"], "x": [""]}),
        ("url('https://e.com/p?').getQuery()", {}),
        ("url('https://e.com/p#frag').getEscapedPath()", "/p"),
        ("url('/a//b') == url('/a//b')", True),
        ("isURL('https://a:80/') && isURL('/') && isURL('mailto:x')", True),
        ("isURL('relative') || isURL('') || isURL('https://a b/') || isURL('https://a:x/') || isURL(':x')", False),
        ("url('relative')", f'{FAILED}"relative": invalid URI for request'),
        ("url('')", f'{FAILED}"": empty url'),
        ("url('https://a:x/')", f'{FAILED}"https://a:x/": invalid port ":x" after host'),
        ("url('https://[::1/')", f"{FAILED}\"https://[::1/\": missing ']' in host"),
        ("url('/%zz')", f'{FAILED}"/%zz": invalid URL escape "%zz"'),
        ("url('ht\\ntp://a')", f'{FAILED}"ht\\ntp://a": net/url: invalid control character in URL'),
    ],
)
def test_functions(text: str, value: object) -> None:
    assert evaluated(text) == value
