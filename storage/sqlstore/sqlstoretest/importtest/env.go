package importtest

import (
	"os"
	"strconv"
)

// EnvInt is a number from the environment, or def where there is none.
func EnvInt(name string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return def
}
