"""Names that Python's standard library (and a few much-used packages) moved, renamed or removed.

Data only. Each row was taken from the "Removed", "Deprecated" and "Porting" sections of What's New in Python 3.0
and 3.5 to 3.14 (docs.python.org/3/whatsnew), PEP 594 (dead batteries), PEP 632 (distutils), PEP 3108 (standard
library reorganisation), and the packages' own release notes. Whether a replacement exists is asked of the target
interpreter by the rule, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """Where a name went.

    Attributes:
        module: Module that has it now; empty for a builtin or an expression.
        name: Its name there, or the expression; empty when the module itself is meant.
        removed: Version in which the old spelling went away.
        note: What differs, for the operator; a move with a note is not certain.
    """

    module: str
    name: str
    removed: str
    note: str = ""


def _listed(names: str) -> list[str]:
    return names.split()


def _moved(old: str, new: str, names: str, removed: str) -> dict[tuple[str, str], Move]:
    """Rows for names that kept their name in another module."""
    return {(old, name): Move(new, name, removed) for name in names.split()}


def _renamed(module: str, removed: str, pairs: str, to: str | None = None) -> dict[tuple[str, str], Move]:
    """Rows `old=new` for names of one module; `to` is the module that has them now."""
    target = module if to is None else to
    return {(module, p.split("=")[0]): Move(target, p.split("=")[1], removed) for p in pairs.split()}


MOVES: dict[tuple[str, str], Move] = {
    **_moved("collections", "collections.abc",
             "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator Generator Reversible "
             "Sized Container Callable Collection Set MutableSet Mapping MutableMapping MappingView KeysView ItemsView "
             "ValuesView Sequence MutableSequence", "3.10"),
    **_moved("fractions", "math", "gcd", "3.9"),
    **_moved("cgi", "urllib.parse", "parse_qs parse_qsl", "3.8"),
    ("cgi", "escape"): Move("html", "escape", "3.8", "html.escape() also escapes quotes unless quote=False is given"),
    ("time", "clock"): Move("time", "perf_counter", "3.8", "wall-clock time; time.process_time() is the CPU time that clock() gave on Unix"),
    **_renamed("base64", "3.9", "encodestring=encodebytes decodestring=decodebytes"),
    ("inspect", "getargspec"): Move("inspect", "getfullargspec", "3.11", "the result has seven fields; `keywords` is called `varkw`"),
    **_renamed("string", "3.0", "letters=ascii_letters lowercase=ascii_lowercase uppercase=ascii_uppercase"),
    **_renamed("string", "3.0", "maketrans=str.maketrans atoi=int atof=float", ""),
    **_renamed("sys", "3.0", "maxint=maxsize"),
    **_renamed("os", "3.0", "getcwdu=getcwd"),
    ("os", "errno"): Move("errno", "", "3.7"),
    **_renamed("itertools", "3.0", "izip=zip imap=map ifilter=filter", ""),
    **_renamed("itertools", "3.0", "izip_longest=zip_longest ifilterfalse=filterfalse"),
    **_renamed("configparser", "3.12", "SafeConfigParser=ConfigParser"),
    **_renamed("locale", "3.12", "format=format_string"),
    **_renamed("re", "3.7", "_pattern_type=Pattern"),
    **_renamed("unittest", "3.12", "_TextTestResult=TextTestResult"),
    **_renamed("platform", "3.8", "popen=popen", "os"),
    **_renamed("pkgutil", "3.14", "find_loader=find_spec get_loader=find_spec", "importlib.util"),
    **_renamed("importlib", "3.12", "find_loader=find_spec", "importlib.util"),
    **_renamed("imp", "3.12", "reload=reload", "importlib"),
    **_renamed("imp", "3.12", "cache_from_source=cache_from_source source_from_cache=source_from_cache", "importlib.util"),
    **_renamed("imp", "3.12", "new_module=ModuleType", "types"),
    **_renamed("pipes", "3.13", "quote=quote", "shlex"),
    **_renamed("plistlib", "3.9", "readPlistFromBytes=loads writePlistToBytes=dumps"),
    **_renamed("threading", "3.0", "_sleep=sleep", "time"),
    **_renamed("operator", "3.0", "isCallable=callable", ""),
    **_renamed("operator", "3.0", "div=truediv sequenceIncludes=contains"),
    **_renamed("types", "3.0", "StringType=str UnicodeType=str IntType=int LongType=int FloatType=float ListType=list "
               "DictType=dict TupleType=tuple BooleanType=bool ObjectType=object TypeType=type ClassType=type FileType=open", ""),
    **_renamed("asyncio", "3.7", "async=ensure_future"),
    **_renamed("asyncio", "3.5", "JoinableQueue=Queue"),
    **_renamed("asyncio.Task", "3.9", "all_tasks=all_tasks current_task=current_task", "asyncio"),
    **_renamed("urllib", "3.0", "urlopen=urlopen urlretrieve=urlretrieve pathname2url=pathname2url url2pathname=url2pathname "
               "Request=Request", "urllib.request"),
    **_renamed("urllib", "3.0", "urlencode=urlencode quote=quote quote_plus=quote_plus unquote=unquote unquote_plus=unquote_plus "
               "urlparse=urlparse urljoin=urljoin", "urllib.parse"),
    **_renamed("urllib2", "3.0", "urlopen=urlopen Request=Request build_opener=build_opener install_opener=install_opener "
               "HTTPHandler=HTTPHandler ProxyHandler=ProxyHandler HTTPCookieProcessor=HTTPCookieProcessor", "urllib.request"),
    **_renamed("urllib2", "3.0", "URLError=URLError HTTPError=HTTPError", "urllib.error"),
    **_renamed("urllib2", "3.0", "quote=quote unquote=unquote", "urllib.parse"),
    **_renamed("distutils.spawn", "3.12", "find_executable=which", "shutil"),
    **_renamed("distutils.core", "3.12", "setup=setup Extension=Extension Command=Command", "setuptools"),
    **_renamed("distutils.sysconfig", "3.12", "get_config_var=get_config_var get_config_vars=get_config_vars", "sysconfig"),
    **_renamed("UserDict", "3.0", "UserDict=UserDict IterableUserDict=UserDict", "collections"),
    **_renamed("UserDict", "3.0", "DictMixin=MutableMapping", "collections.abc"),
    **_renamed("UserList", "3.0", "UserList=UserList", "collections"),
    **_renamed("UserString", "3.0", "UserString=UserString", "collections"),
    **_renamed("commands", "3.0", "getoutput=getoutput getstatusoutput=getstatusoutput", "subprocess"),
    **_renamed("thread", "3.0", "start_new_thread=start_new_thread allocate_lock=allocate_lock get_ident=get_ident", "_thread"),
    **_renamed("typing.io", "3.13", "IO=IO TextIO=TextIO BinaryIO=BinaryIO", "typing"),
    **_renamed("typing.re", "3.13", "Pattern=Pattern Match=Match", "typing"),
    # Packages outside the standard library: their own release notes.
    **_renamed("numpy", "numpy 1.24", "float=float int=int bool=bool object=object str=str complex=complex", ""),
    **_renamed("numpy", "numpy 2.0", "float_=float64 complex_=complex128 string_=bytes_ unicode_=str_ NaN=nan Inf=inf Infinity=inf "
               "infty=inf product=prod cumproduct=cumprod alltrue=all sometrue=any row_stack=vstack trapz=trapezoid"),
    **_renamed("flask", "Flask 2.3", "Markup=Markup escape=escape", "markupsafe"),
    **_renamed("jinja2", "Jinja2 3.1", "Markup=Markup escape=escape", "markupsafe"),
    **_renamed("jinja2", "Jinja2 3.1", "contextfunction=pass_context contextfilter=pass_context environmentfilter=pass_environment "
               "evalcontextfilter=pass_eval_context"),
    **_renamed("werkzeug", "Werkzeug 1.0", "secure_filename=secure_filename cached_property=cached_property", "werkzeug.utils"),
    **_renamed("django.utils.encoding", "Django 4.0", "force_text=force_str smart_text=smart_str"),
    **_renamed("django.utils.translation", "Django 4.0", "ugettext=gettext ugettext_lazy=gettext_lazy ungettext=ngettext"),
    **_renamed("django.conf.urls", "Django 4.0", "url=re_path", "django.urls"),
    **_renamed("PIL.Image", "Pillow 10", "ANTIALIAS=LANCZOS"),
    ("sklearn.externals", "joblib"): Move("joblib", "", "scikit-learn 0.23"),
}  # fmt: skip
"""(old module, old name) → where it is now."""

MODULE_MOVES: dict[str, Move] = {
    old: Move(new, "", "3.0")
    for old, new in (
        pair.split("=")
        for pair in _listed(
            "urlparse=urllib.parse ConfigParser=configparser Queue=queue StringIO=io cStringIO=io cPickle=pickle HTMLParser=html.parser "
            "httplib=http.client Cookie=http.cookies cookielib=http.cookiejar BaseHTTPServer=http.server SimpleHTTPServer=http.server "
            "SocketServer=socketserver Tkinter=tkinter thread=_thread __builtin__=builtins copy_reg=copyreg xmlrpclib=xmlrpc.client "
            "anydbm=dbm htmlentitydefs=html.entities robotparser=urllib.robotparser _winreg=winreg urllib2=urllib.request "
            "dummy_thread=_thread dummy_threading=threading commands=subprocess"
        )
    )
} | {
    "typing.io": Move("typing", "", "3.13"),
    "typing.re": Move("typing", "", "3.13"),
    "email.MIMEText": Move("email.mime.text", "", "3.0"),
    "email.MIMEMultipart": Move("email.mime.multipart", "", "3.0"),
    "email.Utils": Move("email.utils", "", "3.0"),
    "django.core.urlresolvers": Move("django.urls", "", "Django 2.0"),
    "sklearn.cross_validation": Move("sklearn.model_selection", "", "scikit-learn 0.20"),
    "sklearn.grid_search": Move("sklearn.model_selection", "", "scikit-learn 0.20"),
}
"""Modules that live on whole under another name."""

NO_HEIR: dict[str, str] = {
    "imp": "use importlib: `importlib.util.spec_from_file_location()` for load_source, `importlib.util.find_spec()` for find_module",
    "distutils": "use setuptools for building, shutil for files, packaging.version for versions",
    "asyncore": "use asyncio", "asynchat": "use asyncio", "smtpd": "use the aiosmtpd package",
    "aifc": "use the soundfile package", "audioop": "use the audioop-lts package", "cgi": "use a web framework, or the legacy-cgi package",
    "cgitb": "use the legacy-cgi package", "chunk": "there is no successor", "crypt": "use the bcrypt, argon2-cffi or passlib package",
    "imghdr": "use the filetype or puremagic package", "mailcap": "there is no successor", "msilib": "there is no successor",
    "nis": "there is no successor", "nntplib": "use the nntplib package from PyPI", "ossaudiodev": "there is no successor",
    "pipes": "use subprocess", "sndhdr": "use the filetype package", "spwd": "use the python-pam package", "sunau": "there is no successor",
    "telnetlib": "use the telnetlib3 package", "uu": "use base64", "xdrlib": "use struct", "lib2to3": "use libcst or parso",
    "formatter": "there is no successor", "parser": "use ast", "symbol": "use ast", "binhex": "use base64", "macpath": "use posixpath",
    "sets": "use the builtin set", "exceptions": "exceptions are builtins", "md5": "use hashlib", "sha": "use hashlib", "new": "use types",
    "popen2": "use subprocess", "rfc822": "use email", "mimetools": "use email", "user": "there is no successor",
    "UserDict": "use collections.UserDict", "UserList": "use collections.UserList", "UserString": "use collections.UserString",
}  # fmt: skip
"""Modules that were removed for good, with what to use instead."""

REMOVED_MODULES = frozenset(NO_HEIR) | frozenset(m for m in MODULE_MOVES if "." not in m)
"""Top-level modules that once were part of the standard library."""

BUILTINS_GONE: dict[str, str] = {
    "unicode": "str", "xrange": "range", "raw_input": "input", "basestring": "str", "long": "int", "unichr": "chr",
    "buffer": "memoryview", "StandardError": "Exception", "izip": "zip", "imap": "map", "ifilter": "filter",
}  # fmt: skip
"""Builtins of Python 2 (and its usual star imports) and what they are called now (What's New in Python 3.0)."""

BUILTINS_MOVED: dict[str, tuple[str, str]] = {
    "reduce": ("functools", "reduce"),
    "reload": ("importlib", "reload"),
    "intern": ("sys", "intern"),
}
"""Builtins of Python 2 that now live in a module."""

METHOD_RENAMES: dict[str, tuple[str, str]] = {
    "iteritems": (r"dict|.*Dict|Counter|DataFrame|Series|.*Headers|HTTPMessage|mappingproxy", "items"),
    "iterkeys": (r"dict|.*Dict|Counter", "keys"), "itervalues": (r"dict|.*Dict|Counter", "values"),
    "viewitems": (r"dict|.*Dict", "items"), "viewkeys": (r"dict|.*Dict", "keys"), "viewvalues": (r"dict|.*Dict", "values"),
    "isAlive": (r".*Thread|Timer|Process", "is_alive"), "tostring": (r"array(\.array)?", "tobytes"), "fromstring": (r"array(\.array)?", "frombytes"),
    "getiterator": (r".*Element(Tree)?", "iter"), "readfp": (r".*ConfigParser", "read_file"), "warn": (r".*Logger(Adapter)?", "warning"),
    "func_name": (r"function|method", "__name__"), "func_code": (r"function|method", "__code__"), "func_defaults": (r"function|method", "__defaults__"),
    "func_globals": (r"function|method", "__globals__"), "func_doc": (r"function|method", "__doc__"), "im_func": (r"method", "__func__"),
    "im_self": (r"method", "__self__"), "im_class": (r"method", "__self__.__class__"), "getheaders": (r"HTTPMessage|Message", "get_all"),
    "as_matrix": (r"DataFrame|Series", "to_numpy"), "getargspec": (r"module", "getfullargspec"),
    "assertEquals": (r".*", "assertEqual"), "assertNotEquals": (r".*", "assertNotEqual"), "assert_": (r".*", "assertTrue"),
    "assertAlmostEquals": (r".*", "assertAlmostEqual"), "assertNotAlmostEquals": (r".*", "assertNotAlmostEqual"),
    "assertRegexpMatches": (r".*", "assertRegex"), "assertNotRegexpMatches": (r".*", "assertNotRegex"),
    "assertRaisesRegexp": (r".*", "assertRaisesRegex"), "assertItemsEqual": (r".*", "assertCountEqual"),
    "failUnlessEqual": (r".*", "assertEqual"), "failUnless": (r".*", "assertTrue"), "failIf": (r".*", "assertFalse"),
}  # fmt: skip
"""Method or attribute → (pattern of the owner's type, its name now)."""
