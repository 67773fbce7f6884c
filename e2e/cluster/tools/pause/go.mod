module gemma-operator.local/tools/pause

go 1.21
