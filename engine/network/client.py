"""Clients that go through the right proxy and trust the right certificates."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from engine.network.proxy import proxy_for
from engine.network.trust import trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from engine.network.proxy import Route


def open_client(
    url: httpx.URL, headers: Mapping[str, str], timeout: httpx.Timeout
) -> httpx.AsyncClient:
    """Return a client for the one server at `url`; it follows no redirect and keeps no cookie.

    Raises:
        Misconfigured: A variable for proxies or certificates cannot be used.
    """
    route = proxy_for(url)
    encrypted = url.scheme == "https" or (route is not None and route.url.scheme == "https")
    context = trust() if encrypted else None
    return httpx.AsyncClient(
        trust_env=False,
        verify=context or False,  # plain HTTP has no certificates, and reading them takes long
        proxy=_proxy(route, context),
        follow_redirects=False,
        # A cookie could tell two requests to be one person's, and many would fill a request's head.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers=headers,
        timeout=timeout,
    )


class Routes(httpx.BaseTransport):
    """Sends each request the way that its own address asks for: a download is redirected."""

    def __init__(self) -> None:
        self._ways: dict[httpx.URL | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`; raises Misconfigured as `open_client` does."""
        route = proxy_for(request.url)
        key = route.url if route else None
        if key not in self._ways:
            context = trust()
            self._ways[key] = httpx.HTTPTransport(
                verify=context, trust_env=False, proxy=_proxy(route, context)
            )
        return self._ways[key].handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for way in self._ways.values():
            way.close()


def _proxy(route: Route | None, context: ssl.SSLContext | None) -> httpx.Proxy | None:
    if route is None:
        return None
    return httpx.Proxy(route.url, ssl_context=context if route.url.scheme == "https" else None)
