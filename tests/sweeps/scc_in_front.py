"""``scc`` as from a shell's foreground: a runner in the background starts its children with Ctrl-C
ignored, as it should."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)

    from scc.cli.main import main

    main()
