"""The table of things that code can do to the world, by the dotted name that does them.

Data only: one row a capability with how bad it is when a patch brings it in. Which names a program
really uses is the business of `aliases` and `safety`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selfheal_tui.model.kinds import Verdict

_F, _W = Verdict.FAIL, Verdict.WARN


@dataclass(frozen=True, slots=True)
class Capability:
    """A kind of power over the world.

    Attributes:
        kind: What it is, as the operator reads it.
        verdict: How bad a new one is.
    """

    kind: str
    verdict: Verdict


EXEC = Capability("runs text as code", _F)
DYNAMIC = Capability("imports by name at run time", _F)
PROCESS = Capability("starts or kills processes", _F)
DESERIALISE = Capability("deserialises objects", _F)
DELETE = Capability("deletes files", _F)
NETWORK = Capability("opens the network", _F)
NATIVE = Capability("reaches into native memory", _F)
TRICK = Capability("reaches around the language's walls", _F)
HOOK = Capability("hooks into the interpreter", _F)
PATCH = Capability("replaces parts of other modules", _F)
TLS = Capability("switches a safety off", _F)
MODULE_VALUE = Capability("hands a powerful module around", _F)
REFLECT = Capability("reaches attributes by computed name", _W)
WRITE = Capability("writes files", _W)
THREAD = Capability("starts threads or processes", _W)
ENV_WRITE = Capability("changes the environment", _W)
ENV_SECRET = Capability("reads secrets or the whole environment", _W)
SLEEP = Capability("waits", _W)
SETTING = Capability("changes the interpreter's settings", _W)
BLOCK = Capability("waits for keyboard input", _W)


def _rows(capability: Capability, names: str) -> dict[str, Capability]:
    return dict.fromkeys(names.split(), capability)


EXACT: dict[str, Capability] = {
    **_rows(EXEC, "builtins.exec builtins.eval builtins.compile builtins.breakpoint pdb.set_trace pdb.run"),
    **_rows(EXEC, "timeit.timeit timeit.repeat timeit.Timer cProfile.run cProfile.runctx profile.run"),
    **_rows(DYNAMIC, "builtins.__import__ pkgutil.resolve_name pkgutil.get_loader pydoc.locate"),
    **_rows(DYNAMIC, "zipimport.zipimporter sys.modules"),
    **_rows(PROCESS, "os.system os.popen os.fork os.forkpty os.kill os.killpg os.startfile os.abort"),
    **_rows(PROCESS, "os.posix_spawn os.posix_spawnp os.setuid os.setgid os.seteuid os.setegid os.chroot"),
    **_rows(PROCESS, "pty.spawn pty.fork signal.pthread_kill signal.raise_signal webbrowser.open"),
    **_rows(PROCESS, "asyncio.create_subprocess_exec asyncio.create_subprocess_shell"),
    **_rows(PROCESS, "platform.popen sh.Command plumbum.local psutil.Popen"),
    **_rows(
        DESERIALISE, "pickle.load pickle.loads pickle.Unpickler _pickle.load _pickle.loads cPickle.loads"
    ),
    **_rows(DESERIALISE, "_pickle.Unpickler marshal.load marshal.loads shelve.open shelve.Shelf"),
    **_rows(DESERIALISE, "shelve.DbfilenameShelf cPickle.load"),
    **_rows(DESERIALISE, "yaml.unsafe_load yaml.unsafe_load_all yaml.full_load yaml.full_load_all"),
    **_rows(DESERIALISE, "jsonpickle.decode jsonpickle.loads joblib.load torch.load pandas.read_pickle"),
    **_rows(DELETE, "os.remove os.unlink os.rmdir os.removedirs os.truncate os.ftruncate shutil.rmtree"),
    **_rows(DELETE, "shutil.move pathlib.Path.unlink pathlib.Path.rmdir send2trash.send2trash"),
    **_rows(NETWORK, "asyncio.open_connection asyncio.start_server asyncio.open_unix_connection"),
    **_rows(NETWORK, "asyncio.start_unix_server ssl.get_server_certificate logging.handlers.HTTPHandler"),
    **_rows(NETWORK, "logging.handlers.SocketHandler logging.handlers.SMTPHandler"),
    **_rows(NETWORK, "ftplib.FTP ftplib.FTP_TLS imaplib.IMAP4 imaplib.IMAP4_SSL poplib.POP3 poplib.POP3_SSL"),
    **_rows(NETWORK, "smtplib.SMTP smtplib.SMTP_SSL smtplib.LMTP"),
    **_rows(NATIVE, "ctypes.CDLL"),
    **_rows(TRICK, "sys._getframe sys._current_frames gc.get_objects gc.get_referrers gc.get_referents"),
    **_rows(TRICK, "inspect.currentframe inspect.stack inspect.getmembers_static"),
    **_rows(HOOK, "sys.settrace sys.setprofile threading.settrace threading.setprofile sys.addaudithook"),
    **_rows(
        HOOK, "sys.meta_path sys.path_hooks sys.excepthook sys.unraisablehook sys.displayhook sys.monitoring"
    ),
    **_rows(HOOK, "site.addsitedir sys.set_asyncgen_hooks threading.excepthook"),
    **_rows(HOOK, "signal.signal signal.setitimer signal.alarm atexit.register atexit.unregister"),
    **_rows(TLS, "ssl._create_unverified_context urllib3.disable_warnings ssl.CERT_NONE"),
    **_rows(TLS, "ssl._create_default_https_context"),
    **_rows(
        WRITE, "os.mkdir os.makedirs os.rename os.renames os.replace os.link os.symlink os.chmod os.chown"
    ),
    **_rows(WRITE, "os.open os.write os.mkfifo os.mknod shutil.copy shutil.copy2 shutil.copyfile"),
    **_rows(WRITE, "shutil.copytree shutil.copyfileobj shutil.unpack_archive shutil.chown tempfile.mktemp"),
    **_rows(WRITE, "pathlib.Path.write_text pathlib.Path.write_bytes logging.FileHandler"),
    **_rows(
        THREAD,
        "threading.Thread threading.Timer _thread.start_new_thread concurrent.futures.ThreadPoolExecutor",
    ),
    **_rows(THREAD, "concurrent.futures.ProcessPoolExecutor multiprocessing.Process multiprocessing.Pool"),
    **_rows(THREAD, "multiprocessing.pool.ThreadPool multiprocessing.pool.Pool multiprocessing.Manager"),
    **_rows(THREAD, "concurrent.futures.thread.ThreadPoolExecutor multiprocessing.get_context"),
    **_rows(ENV_WRITE, "os.putenv os.unsetenv os.environ.update os.environ.setdefault os.environ.pop"),
    **_rows(ENV_WRITE, "os.environ.clear os.environ.popitem os.chdir os.umask os.fchdir"),
    **_rows(ENV_SECRET, "getpass.getpass keyring.get_password"),
    **_rows(SLEEP, "time.sleep asyncio.sleep gevent.sleep trio.sleep"),
    **_rows(
        SETTING, "sys.setrecursionlimit sys.setswitchinterval sys.path.append sys.path.insert sys.path.extend"
    ),
    **_rows(SETTING, "gc.disable gc.freeze warnings.filterwarnings warnings.simplefilter logging.disable"),
    **_rows(SETTING, "resource.setrlimit sys.set_int_max_str_digits locale.setlocale faulthandler.disable"),
    **_rows(SETTING, "threading.stack_size socket.setdefaulttimeout sys.stdout.reconfigure"),
    **_rows(BLOCK, "builtins.input"),
}
"""Names that are capabilities by themselves; attributes of them are, too."""

PREFIXES: dict[str, Capability] = {
    **_rows(EXEC, "code codeop runpy bdb"),
    **_rows(DYNAMIC, "importlib imp"),
    **_rows(PROCESS, "subprocess commands popen2 pexpect fabric invoke plumbum os.exec os.spawn"),
    **_rows(PROCESS, "asyncio.subprocess"),
    **_rows(DESERIALISE, "dill cloudpickle"),
    **_rows(NETWORK, "socket urllib.request urllib.urlopen urllib2 http.client http.server httplib requests"),
    **_rows(NETWORK, "httpx aiohttp urllib3 ftplib smtplib poplib imaplib telnetlib nntplib xmlrpc"),
    **_rows(NETWORK, "socketserver websockets websocket paramiko pycurl grpc wsgiref.simple_server asyncore"),
    **_rows(NETWORK, "boto3 botocore"),
    **_rows(NATIVE, "ctypes cffi _ctypes mmap"),
}
"""Modules (and beginnings of names) of which everything is a capability, but for `HARMLESS`."""

SAFE_UNDER_PREFIX = frozenset(
    [
        "importlib.metadata",
        "importlib.resources",
        "importlib.abc",
        "subprocess.list2cmdline",
        "socket.gethostname",
        "socket.timeout",
        "socket.inet_aton",
        "socket.inet_ntoa",
        "socket.inet_pton",
        "socket.inet_ntop",
        "socket.htons",
        "socket.ntohs",
        "urllib.request.pathname2url",
        "urllib.request.url2pathname",
        "requests.exceptions",
        "requests.codes",
        "requests.structures",
        "requests.utils",
        "http.client.responses",
        "urllib3.exceptions",
        "urllib3.util",
        "aiohttp.web_exceptions",
        "ctypes.util",
        "importlib.invalidate_caches",
        "requests.compat",
        "ctypes.sizeof",
    ]
)
"""Parts of such modules that touch nothing."""

HARMLESS = re.compile(
    r"(?:[A-Z][A-Z0-9_]*|.*(?:Error|Exception|Timeout|Expired|Warning)|gaierror|herror|error)\Z"
)
"""Last components that are constants or exception classes."""

OPENERS: dict[str, int] = {
    "builtins.open": 1,
    "io.open": 1,
    "codecs.open": 1,
    "os.fdopen": 1,
    "gzip.open": 1,
    "bz2.open": 1,
    "lzma.open": 1,
    "tarfile.open": 1,
    "zipfile.ZipFile": 1,
    "io.FileIO": 1,
}
"""Functions that write when their mode says so, with the position of the mode."""

METHODS: dict[str, Capability] = {
    **_rows(DELETE, "unlink rmdir rmtree removedirs"),
    **_rows(WRITE, "write_text write_bytes touch mkdir makedirs symlink_to hardlink_to link_to lchmod chmod"),
    **_rows(WRITE, "extractall"),
    **_rows(PROCESS, "create_subprocess_exec create_subprocess_shell subprocess_exec subprocess_shell popen"),
    **_rows(PROCESS, "execv execve execvp spawnv spawnl posix_spawn"),
    **_rows(NETWORK, "urlopen create_connection create_datagram_endpoint open_connection urlretrieve"),
    **_rows(DYNAMIC, "import_module exec_module load_module find_spec __import__"),
}
"""Methods that are capabilities whatever object they are called on."""

TRICK_ATTRIBUTES: dict[str, Verdict] = {
    **dict.fromkeys(
        [
            "__subclasses__",
            "__globals__",
            "__builtins__",
            "__code__",
            "__closure__",
            "__getattribute__",
            "__import__",
            "__loader__",
            "f_globals",
            "f_builtins",
            "f_locals",
            "f_back",
            "gi_frame",
            "cr_frame",
            "ag_frame",
            "tb_frame",
            "gi_code",
            "cr_code",
            "__reduce__",
            "__reduce_ex__",
            "__setstate__",
            "func_globals",
            "func_code",
        ],
        _F,
    ),
    **dict.fromkeys(["__mro__", "__bases__", "__base__", "__spec__", "__defaults__", "__kwdefaults__"], _W),
}
"""Attributes with which code climbs out of where it is; `self.__class__.__name__` is none of them."""

SWITCHES: dict[str, bool] = {
    "shell": True,
    "verify": False,
    "verify_ssl": False,
    "ssl_verify": False,
    "verify_certs": False,
    "validate_certs": False,
    "check_hostname": False,
    "ssl": False,
    "insecure": True,
    "allow_pickle": True,
    "weights_only": False,
    "trust_remote_code": True,
    "autoescape": False,
    "allow_dangerous_code": True,
    "dangerously_allow": True,
    "allow_dangerous_deserialization": True,
}
"""Keywords and attributes with the value that switches a safety off."""

POWERFUL_MODULES = frozenset(
    [
        "os",
        "sys",
        "subprocess",
        "shutil",
        "builtins",
        "importlib",
        "socket",
        "ctypes",
        "pickle",
        "marshal",
        "runpy",
        "code",
        "pty",
        "signal",
        "gc",
        "inspect",
        "requests",
        "httpx",
        "urllib",
        "urllib.request",
        "multiprocessing",
        "posix",
        "nt",
    ]
)
"""Modules that code has no business handing around as values."""

SAFE_LOADERS = re.compile(r"(?:^|\.)C?(?:Safe|Base)Loader\Z")


def capability_of(dotted: str) -> tuple[str, Capability] | None:
    """Finds the capability that a dotted name is, or is an attribute of.

    Args:
        dotted: A resolved name, such as `os.system` or `os.system.__call__`.

    Returns:
        The name of the capability's table row or of the function in a listed module, and what it is.
    """
    dotted = re.sub(r"^(?:posix|nt)\.", "os.", dotted)
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        head = ".".join(parts[:end])
        if head in EXACT:
            return head, EXACT[head]
    for end in range(len(parts), 0, -1):
        head = ".".join(parts[:end])
        if head in SAFE_UNDER_PREFIX:
            return None
        if head in PREFIXES and end < len(parts):
            return None if HARMLESS.match(parts[-1]) else (dotted, PREFIXES[head])
    if re.match(r"os\.(?:exec|spawn)", dotted):
        return dotted, PROCESS
    return None
