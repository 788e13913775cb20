// What containerd's own filters say: reads one JSON case a line, answers one verdict a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/containerd/containerd/filters"
)

type trial struct {
	Filters []string          `json:"filters"`
	Fields  map[string]string `json:"fields"`
	Labels  map[string]string `json:"labels"`
	// Instead: a pattern and a text.
	Pattern *string `json:"pattern"`
	Text    string  `json:"text"`
}

func verdict(t trial) string {
	if t.Pattern != nil {
		re, err := regexp.Compile(*t.Pattern)
		if err != nil {
			return "malformed"
		}
		return fmt.Sprint(re.MatchString(t.Text))
	}
	filter, err := filters.ParseAll(t.Filters...)
	if err != nil {
		return "malformed"
	}
	return fmt.Sprint(filter.Match(filters.AdapterFunc(func(path []string) (string, bool) {
		if path[0] == "labels" {
			value, ok := t.Labels[strings.Join(path[1:], ".")]
			return value, ok
		}
		value, ok := t.Fields[path[0]]
		return value, ok
	})))
}

func main() {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var t trial
		if err := json.Unmarshal(scanner.Bytes(), &t); err != nil {
			panic(err)
		}
		fmt.Println(verdict(t))
	}
}
