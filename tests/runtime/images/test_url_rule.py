"""Which URLs a caller may make somebody fetch."""

import pytest

from runtime.images import url_allowed

HTTPS = ("https",)

ALLOWED = [
    "https://example.com/cat.png",
    "https://example.com",
    "https://example.com?size=large",
    "https://EXAMPLE.com/Cat.PNG",
    "HTTPS://example.com/cat.png",
    "https://example.com:443/cat.png",
    "https://example.com./cat.png",
    "https://a-b.c--d.example.co.uk/x",
    "https://xn--bcher-kva.example/x",
    "https://cdn1.example.com/path/with%20space?q=a%26b&c=[1]",
    "https://example.com/@user/photo.png",
    "https://example.com/a:b//c/../d",
    "https://1password.com/x.png",
    "https://8.8.8.8.example.com/x",
    "https://8.8.8.8/x.png",
    "https://[2606:4700:4700::1111]/x.png",
    "https://[::ffff:8.8.8.8]/x.png",
    "https://local.example.com/x",
    "https://internal-tools.example.com/x",
    "https://mylocalhost.example.com/x",
]

REFUSED = {
    # schemes
    "plain http": "http://example.com/x",
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.com/x",
    "gopher": "gopher://example.com/x",
    "javascript": "javascript:alert(1)",
    "data without a type we take": "data:text/html,hi",
    "blob": "blob:https://example.com/1",
    "no scheme": "//example.com/x",
    "scheme without slashes": "https:example.com/x",
    "one slash": "https:/example.com/x",
    "three slashes": "https:///example.com/x",
    "empty": "",
    "a word": "cat.png",
    # spelling that two parsers read in two ways
    "user info": "https://user@example.com/x",
    "user and password": "https://user:pass@example.com/x",
    "a host that is a user": "https://example.com@169.254.169.254/x",
    "a host hidden behind a backslash": "https://example.com\\@169.254.169.254/x",
    "a backslash": "https:\\\\example.com\\x",
    "a fragment": "https://example.com/x#y",
    "a fragment that hides a host": "https://169.254.169.254#@example.com/x",
    "a space": "https://example.com/a b",
    "a leading space": " https://example.com/x",
    "a line break": "https://example.com/x\r\nHost: other",
    "a tab in the host": "https://exam\tple.com/x",
    "a NUL": "https://example.com/\x00",
    "not ASCII": "https://exämple.com/x",
    "an ideographic full stop": "https://127\u30020\u30020\u30021/x",
    "full-width digits": "https://\uff11\uff12\uff17.0.0.1/x",
    "a circled digit": "https://\u2460\u2461\u2466.0.0.1/x",
    "a percent-encoded host": "https://%31%32%37.0.0.1/x",
    "a percent-encoded dot": "https://127%2e0.0.1/x",
    "an underscore": "https://my_host.example.com/x",
    "two dots": "https://example..com/x",
    "a leading dot": "https://.example.com/x",
    "a label that ends in a hyphen": "https://a-.example.com/x",
    "a label of 64 characters": f"https://{'a' * 64}.example.com/x",
    "a name of 254 characters": f"https://{'a.' * 125}abcd/x",
    "more than 8 KiB": "https://example.com/" + "a" * 8192,
    # ports
    "another port": "https://example.com:8443/x",
    "the port of http": "https://example.com:80/x",
    "an empty port": "https://example.com:/x",
    "a padded port": "https://example.com:0443/x",
    "a port with a sign": "https://example.com:+443/x",
    # names
    "localhost": "https://localhost/x",
    "localhost in capitals": "https://LOCALHOST/x",
    "localhost with a dot": "https://localhost./x",
    "below localhost": "https://a.localhost/x",
    "below local": "https://printer.local/x",
    "below internal": "https://db.internal/x",
    "below internal with a dot": "https://db.internal./x",
    "a metadata name": "https://metadata.google.internal/computeMetadata/v1/",
    "another metadata name": "https://metadata.goog/x",
    "a bare metadata name": "https://metadata/x",
    "a name without a dot": "https://vault/x",
    "a service of a cluster": "https://api.default.svc/x",
    # other forms of addresses
    "decimal": "https://2130706433/x",
    "hexadecimal": "https://0x7f000001/x",
    "dotted hexadecimal": "https://0x7f.0x0.0x0.0x1/x",
    "octal": "https://0177.0.0.1/x",
    "padded octets": "https://127.000.000.001/x",
    "two parts": "https://127.1/x",
    "three parts": "https://127.0.1/x",
    "ten dot one": "https://10.1/x",
    "zero": "https://0/x",
    "hexadecimal at the end": "https://127.0.0.0x1/x",
    "an octet over 255": "https://256.1.1.1/x",
    "five octets": "https://8.8.8.8.8/x",
    "an address with a dot": "https://127.0.0.1./x",
    # addresses that are not public
    "loopback": "https://127.0.0.1/x",
    "all of loopback": "https://127.9.9.9/x",
    "this network": "https://0.0.0.0/x",
    "private 10": "https://10.1.2.3/x",
    "private 172.16": "https://172.16.0.1/x",
    "private 192.168": "https://192.168.1.1/x",
    "link local and metadata": "https://169.254.169.254/latest/meta-data/",
    "shared address space": "https://100.64.0.1/x",
    "protocol assignments": "https://192.0.0.8/x",
    "documentation": "https://192.0.2.1/x",
    "6to4 relay": "https://192.88.99.1/x",
    "benchmarking": "https://198.18.0.1/x",
    "multicast": "https://224.0.0.1/x",
    "reserved": "https://240.0.0.1/x",
    "broadcast": "https://255.255.255.255/x",
    "the platform address of a cloud": "https://168.63.129.16/x",
    # IPv6
    "v6 loopback": "https://[::1]/x",
    "v6 loopback in full": "https://[0:0:0:0:0:0:0:1]/x",
    "v6 unspecified": "https://[::]/x",
    "v6 mapped loopback": "https://[::ffff:127.0.0.1]/x",
    "v6 mapped loopback in hex": "https://[::ffff:7f00:1]/x",
    "v6 mapped platform address": "https://[::ffff:168.63.129.16]/x",
    "v6 compatible loopback": "https://[::127.0.0.1]/x",
    "NAT64": "https://[64:ff9b::7f00:1]/x",
    "local NAT64": "https://[64:ff9b:1::1]/x",
    "6to4": "https://[2002:7f00:1::]/x",
    "Teredo": "https://[2001:0:1::1]/x",
    "unique local": "https://[fd00::1]/x",
    "v6 link local": "https://[fe80::1]/x",
    "v6 link local with a zone": "https://[fe80::1%25eth0]/x",
    "site local": "https://[fec0::1]/x",
    "v6 multicast": "https://[ff02::1]/x",
    "v6 documentation": "https://[2001:db8::1]/x",
    "v6 without brackets": "https://::1/x",
    "brackets around a name": "https://[example.com]/x",
    "brackets around v4": "https://[127.0.0.1]/x",
    "an unclosed bracket": "https://[::1/x",
}


@pytest.mark.parametrize("url", ALLOWED)
def test_a_public_url_is_allowed(url):
    assert url_allowed(url, HTTPS)


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED.keys())
def test_a_url_that_may_lead_elsewhere_is_refused(url):
    assert not url_allowed(url, HTTPS)


def test_http_is_allowed_where_the_deployment_says_so():
    assert url_allowed("http://example.com:80/x", ("https", "http"))
    assert not url_allowed("http://example.com:443/x", ("https", "http"))


def test_a_scheme_without_a_known_port_is_refused_even_when_it_is_configured():
    assert not url_allowed("ftp://example.com/x", ("ftp",))
