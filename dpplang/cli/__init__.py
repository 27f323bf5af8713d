"""The command ``dpp``. Each subcommand is a module with ``configure`` and ``run``, imported only when it is called."""
