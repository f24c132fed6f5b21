package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/rule"
	"github.com/esa-mcp/esa-mcp/resources/docs"
)

// generatedParts write what documents have between <!-- generated:NAME --> and
// <!-- end -->, from the tables that the code uses.
func generatedParts(tr *translations) map[string]func(lang string) string {
	return map[string]func(lang string) string{
		"error-codes":    func(lang string) string { return errorCodesPart(tr, lang) },
		"error-symptoms": func(lang string) string { return errorSymptomsPart(tr, lang) },
		"guardrails":     func(lang string) string { return guardrailsPart(tr, lang) },
		"rule-fields":    func(lang string) string { return ruleFieldsPart(tr, lang) },
		"rule-operators": func(lang string) string { return ruleOperatorsPart(tr, lang) },
		"api-areas":      apiAreasPart,
		"metrics":        func(lang string) string { return namesPart(lang, guard.Metrics()) },
		"dimensions":     func(lang string) string { return namesPart(lang, guard.Dimensions()) },
	}
}

// table writes a table with the head of the language.
func table(lang, english, chinese string, rows [][]string) string {
	head := english
	if lang == docs.Chinese {
		head = chinese
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n|%s\n", head, strings.Repeat(" --- |", strings.Count(head, "|")-1))
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}

// code marks a name; none is no mark.
func code(name string) string {
	if name == "" {
		return ""
	}
	return "`" + name + "`"
}

func errorCodesPart(tr *translations, lang string) string {
	var rows [][]string
	for _, c := range esa.Codes() {
		rows = append(rows, []string{code(c.Code), tr.of(lang, c.Code, strings.TrimSpace(c.Meaning+" "+c.Fix)), code(c.Next)})
	}
	return table(lang, "| code | what it means | tool |", "| 错误码 | 含义 | 工具 |", rows)
}

func errorSymptomsPart(tr *translations, lang string) string {
	var rows [][]string
	for _, s := range esa.Symptoms() {
		rows = append(rows, []string{tr.of(lang, s.What, s.What), tr.of(lang, s.What+" =>", s.Meaning+" "+s.Fix)})
	}
	return table(lang, "| what one sees | what it means |", "| 现象 | 含义 |", rows)
}

// guardrailsPart has a section for each area.
func guardrailsPart(tr *translations, lang string) string {
	byArea := map[string][][]string{}
	var areas []string
	for _, row := range guard.Table() {
		if !slices.Contains(areas, row.Area) {
			areas = append(areas, row.Area)
		}
		byArea[row.Area] = append(byArea[row.Area], []string{code(row.ID), row.Does(), tr.of(lang, row.ID, row.Text)})
	}
	var b strings.Builder
	for _, area := range areas {
		title := area
		if lang == docs.Chinese {
			title = areaNames()[area]
		}
		fmt.Fprintf(&b, "### %s {#%s}\n\n%s\n", title, strings.ReplaceAll(strings.ToLower(area), " ", "-"),
			table(lang, "| id | does | mistake, and what is done |", "| 标识 | 处理 | 错误与处理方式 |", byArea[area]))
	}
	return b.String()
}

// ruleFieldsPart puts notes, values and limits of a field into one column.
func ruleFieldsPart(tr *translations, lang string) string {
	var rows [][]string
	for _, f := range rule.Fields() {
		operators := strings.Join(f.Operators, " ")
		if f.List {
			operators += " $list"
		}
		var notes []string
		if f.Note != "" {
			notes = append(notes, strings.TrimSuffix(tr.of(lang, f.Name, f.Note), "."))
		}
		values, only, plan := "values: ", "only in rules of kind ", "from plan "
		if lang == docs.Chinese {
			values, only, plan = "取值：", "只用于此种规则：", "套餐不低于 "
		}
		if len(f.Values) > 0 {
			notes = append(notes, values+strings.Join(f.Values, ", "))
		}
		if f.Only != "" {
			notes = append(notes, only+string(f.Only))
		}
		if f.MinPlan != "" {
			notes = append(notes, plan+string(f.MinPlan))
		}
		name := f.Name
		if f.Type == rule.TypeMap {
			name += `["key"]`
		}
		rows = append(rows, []string{code(name), string(f.Type), operators, strings.Join(notes, "; ")})
	}
	return table(lang, "| field | type | operators | notes |", "| 字段 | 类型 | 运算符 | 说明 |", rows)
}

func ruleOperatorsPart(tr *translations, lang string) string {
	var rows [][]string
	for _, o := range rule.Operators() {
		rows = append(rows, []string{code(o.Name), code(o.Form), tr.of(lang, o.Name, o.Meaning)})
	}
	return table(lang, "| operator | example | true if |", "| 运算符 | 示例 | 何时为真 |", rows)
}

// apiAreasPart counts the operations of each area, and shows some.
func apiAreasPart(lang string) string {
	type area struct {
		reads, changes int
		some           []string
	}
	byName := map[string]*area{}
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		a := byName[op.Area]
		if a == nil {
			a = &area{}
			byName[op.Area] = a
		}
		if op.Effect == catalog.Read {
			a.reads++
		} else {
			a.changes++
		}
		if len(a.some) < 3 && !strings.HasPrefix(action, "Delete") {
			a.some = append(a.some, action)
		}
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		a := byName[name]
		rows = append(rows, []string{name, strconv.Itoa(a.reads), strconv.Itoa(a.changes), strings.Join(a.some, ", ")})
	}
	return table(lang, "| area | reading | changing | such as |", "| 主题 | 读取 | 改动 | 例如 |", rows)
}

// namesPart says what each metric or dimension is.
func namesPart(lang string, names []string) string {
	var rows [][]string
	for _, name := range names {
		meaning := statsMeanings()[name]
		if lang == docs.Chinese {
			rows = append(rows, []string{code(name), meaning[1]})
		} else {
			rows = append(rows, []string{code(name), meaning[0]})
		}
	}
	return table(lang, "| name | what it is |", "| 名称 | 含义 |", rows)
}
