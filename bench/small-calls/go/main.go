// A plugin and a client of plugins on Go's standard library, to measure Cleat's
// beside. The client prints its times as JSON.
//
//	go serve SOCKET...                           answers Plugin.Activate and VolumeDriver.Path on each
//	go call SOCKET WARM-UP CALLS CALLERS BATCH   CALLS calls one after another, then BATCH by CALLERS at once
//	go activate FOLDER ROUNDS                    all plugins with a socket in FOLDER at once, ROUNDS times
package main

import (
	"encoding/json"
	"os"
	"strconv"
)

func main() {
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "serve":
		serve(arguments)
	case "call":
		call(arguments[0], number(arguments[1]), number(arguments[2]), number(arguments[3]), number(arguments[4]))
	case "activate":
		activate(arguments[0], number(arguments[1]))
	default:
		panic("no such command: " + os.Args[1])
	}
}

func print(result interface{}) { must(json.NewEncoder(os.Stdout).Encode(result)) }

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
