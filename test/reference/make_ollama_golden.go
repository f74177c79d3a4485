// golden/export/ollama-templates.json: conversations by the templates in it, executed by Go's own `text/template`,
// which Ollama uses. To add one: its `go` there, and run this again.
//
//	go run make_ollama_golden.go
package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

const path = "golden/export/ollama-templates.json"

type message struct{ Role, Content string }

type kind struct {
	Go string `json:"go"`
	// Without a system turn and with one.
	Bare   string `json:"bare"`
	System string `json:"system"`
}

func render(parsed *template.Template, system string, messages []*message) string {
	var text strings.Builder
	if err := parsed.Execute(&text, map[string]any{"System": system, "Messages": messages}); err != nil {
		panic(err)
	}
	return text.String()
}

func main() {
	turns := []*message{{"user", "One?"}, {"assistant", "Two."}, {"user", "Three?"}}
	system := "Be brief."
	bytes, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var kinds []kind
	if err := json.Unmarshal(bytes, &kinds); err != nil {
		panic(err)
	}
	for i := range kinds {
		parsed := template.Must(template.New("").Parse(kinds[i].Go))
		kinds[i].Bare = render(parsed, "", turns)
		kinds[i].System = render(parsed, system, append([]*message{{"system", system}}, turns...))
	}
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(kinds); err != nil {
		panic(err)
	}
}
