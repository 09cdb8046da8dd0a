"""Names that hold a secret are told from names that speak about one."""

from __future__ import annotations

import pytest

from selfheal_tui.probe.redaction import is_secret_name

# ruff: noqa: SIM905 - word lists read best as words
SECRET = """password passwd db_password DB_PASSWORD dbPassword password2 user_passwd passphrase secret client_secret
secret_key SECRET_KEY clientSecret token access_token accessToken auth-token x-auth-token api_key apiKey APIKEY OPENAI_API_KEY
X-Api-Key authorization Authorization proxy-authorization cookie Cookie Set-Cookie private_key ssh_key dsn SENTRY_DSN
credentials aws_secret_access_key access_key self.password request.headers.authorization smtp_pass api_tokens jwt
PGPASSWORD connection_string session_id""".split()

PLAIN = """tokens token_count max_tokens num_tokens tokenizer has_secrets is_secret password_length secret_name token_type
token_file password_field key keys name monkey author compass bypass passenger secretary keyboard first_pass
check_password get_token cookie_jar password_policy""".split()


@pytest.mark.parametrize("name", SECRET)
def test_a_name_that_holds_a_secret_is_known(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", [*PLAIN, "", "_", "1", "\N{GREEK SMALL LETTER ALPHA}"])
def test_a_name_that_holds_none_is_left_alone(name):
    assert not is_secret_name(name)
