"""The page on which the calls of the API are read and tried."""

import re

from tests.web.client import Client


def test_it_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert policy.count("default-src") == 1
    assert "://" not in page.text
    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', page.text)
    assert "/docs/swagger-ui-bundle.js" in loaded
    for path in loaded:
        client.get(path)


def test_who_has_no_scripts_is_told_where_the_same_is(client: Client) -> None:
    page = client.get("/docs")
    assert "takes JavaScript" in page.text
    assert 'href="/openapi.json"' in page.text
