"""What the model worker may know of the environment: an allow-list, and the key of one provider.

The worker holds a large library of others; whatever it could leak is what this module gives it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from selfheal_tui.model.settings import ModelSettings

_ALLOWED = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
]
_FIXED = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches a price list at import
    "LITELLM_MODE": "PRODUCTION",  # else it reads a .env that nobody asked for
    "LITELLM_LOG": "CRITICAL",
    "PYTHONUTF8": "1",
}
_KEY_VARIABLES = {
    "azure": ("AZURE_API_KEY", "AZURE_API_BASE", "AZURE_API_VERSION"),
    "bedrock": (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION_NAME",
        "AWS_REGION",
    ),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY",),
    "vertex_ai": ("GOOGLE_APPLICATION_CREDENTIALS", "VERTEXAI_PROJECT", "VERTEXAI_LOCATION"),
}
"""Where a provider's variables are not simply `<PROVIDER>_API_KEY` (documentation of litellm)."""
_BARE_NAMES = (("claude", "anthropic"), ("gemini", "gemini"), ("command", "cohere"), ("mistral", "mistral"))


def provider_of(model: str) -> str:
    """Returns the provider that a model string of litellm names, or the one its bare name belongs to."""
    provider, slash, _ = model.partition("/")
    if slash:
        return {"ollama_chat": "ollama", "text-completion-openai": "openai"}.get(provider, provider)
    return next((name for prefix, name in _BARE_NAMES if model.startswith(prefix)), "openai")


def key_variables(settings: ModelSettings) -> tuple[str, ...]:
    """Names the environment variables that hold the credentials of the configured model.

    With an `api_base`, only a variable that is named in the settings: a provider's own key must not
    travel to whatever server a settings file names.

    Args:
        settings: Model settings.
    """
    if settings.api_key_env:
        return (settings.api_key_env,)
    if settings.api_base:
        return ()
    provider = provider_of(settings.name)
    return _KEY_VARIABLES.get(provider, (f"{provider.upper()}_API_KEY",))


def worker_environment(settings: ModelSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Builds the worker's whole environment: the allow-list, the fixed switches, and one set of credentials.

    Args:
        settings: Model settings.
        environ: The environment to take from.
    """
    names = (*_ALLOWED, *key_variables(settings))
    return {name: environ[name] for name in names if name in environ} | _FIXED


def is_loopback(api_base: str) -> bool:
    """Returns whether a base URL points at this very machine."""
    try:
        host = urlsplit(api_base).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
