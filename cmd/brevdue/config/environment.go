package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

const prefix = "BREVDUE_"

// fromEnvironment turns BREVDUE_JOURNAL_URL=x into journal.url: x. Keys hold underscores themselves, so a variable is
// matched against the fields of Config rather than cut at underscores. A variable for a list or a whole section holds
// YAML (or JSON). A BREVDUE_ variable that is no key is an error, because it is most likely a misspelt one.
func fromEnvironment(environ []string) (map[string]any, Errors) {
	tree := map[string]any{}
	var es Errors
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(notConfig, name) {
			continue
		}
		path, leaf := resolve(strings.TrimPrefix(name, prefix), reflect.TypeFor[Config]())
		if path == nil {
			es = append(es, Error{
				Key: name, Text: "no such key", Hint: "the variable is BREVDUE_ and the path of the key, e.g. BREVDUE_JOURNAL_URL",
			})
			continue
		}
		var v any = value
		if !leaf {
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				es = append(es, Error{Key: name, Text: "the value is not YAML", Hint: "a list or a section is given as YAML or JSON"})
				continue
			}
		}
		put(tree, path, v)
	}
	return tree, es
}

// resolve finds the path of the key that name stands for, and whether it is a single value. nil when there is none.
func resolve(name string, t reflect.Type) (path []string, leaf bool) {
	switch t.Kind() {
	case reflect.Struct:
		return resolveField(name, t)
	case reflect.Map:
		return resolveEntry(name, t)
	default:
		return nil, false
	}
}

func resolveField(name string, t reflect.Type) (path []string, leaf bool) {
	for field := range t.Fields() {
		key := field.Tag.Get("koanf")
		if key == "" {
			continue
		}
		rest, found := strings.CutPrefix(name, strings.ToUpper(key))
		switch ft := field.Type; {
		case !found:
		case rest == "":
			return []string{key}, ft.Kind() != reflect.Struct && ft.Kind() != reflect.Map && ft.Kind() != reflect.Slice
		case rest[0] == '_':
			if below, leaf := resolve(rest[1:], ft); below != nil {
				return append([]string{key}, below...), leaf
			}
		}
	}
	return nil, false
}

// resolveEntry tries every underscore as the end of the entry's own name, which is lower case in the file.
func resolveEntry(name string, t reflect.Type) (path []string, leaf bool) {
	for i := range len(name) {
		if name[i] != '_' {
			continue
		}
		if below, leaf := resolve(name[i+1:], t.Elem()); below != nil {
			return append([]string{strings.ToLower(name[:i])}, below...), leaf
		}
	}
	return nil, false
}

func put(tree map[string]any, path []string, v any) {
	for _, key := range path[:len(path)-1] {
		next, ok := tree[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[key] = next
		}
		tree = next
	}
	tree[path[len(path)-1]] = v
}
