"""``python -m gemma_operator.controller``: the operator's process, as the image starts it."""

from gemma_operator.controller.main import main

main()
