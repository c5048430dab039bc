package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// The operators:
//
//	compare    < becomes <=, <= becomes <, > and >= alike, == becomes != and != becomes ==
//	plus       an integer constant is one larger
//	minus      an integer constant is one smaller
//	return     the body of an if that ends in return is emptied
//	delete     a statement is deleted: a call, an assignment, x++, a send, a defer
//	negate     the condition of an if or a for is negated

// turned holds what compare makes of each comparison.
var turned = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ,
	token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
}

// finder collects the mutants of one function or one declared value.
type finder struct {
	fset     *token.FileSet
	source   []byte
	function string
	found    []*mutant
}

func (f *finder) walk(root ast.Node) {
	var parents []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			parents = parents[:len(parents)-1]
			return true
		}
		f.visit(n, parents)
		parents = append(parents, n)
		return true
	})
}

func (f *finder) visit(n ast.Node, parents []ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if to, ok := turned[n.Op]; ok {
			f.add("compare", n, n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to.String())
		}
	case *ast.BasicLit:
		if n.Kind == token.INT {
			around := f.around(n, parents)
			f.add("plus", around, n.Pos(), n.End(), "("+n.Value+"+1)")
			f.add("minus", around, n.Pos(), n.End(), "("+n.Value+"-1)")
		}
	case *ast.IfStmt:
		f.condition(n.Cond)
		if last := len(n.Body.List) - 1; last >= 0 && n.Else == nil {
			if _, ok := n.Body.List[last].(*ast.ReturnStmt); ok {
				f.add("return", n, n.Body.Lbrace, n.Body.End(), "{}")
			}
		}
	case *ast.ForStmt:
		f.condition(n.Cond)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && isStatement(parents, n) {
			f.add("delete", n, n.Pos(), n.End(), "")
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt:
		if isStatement(parents, n) {
			f.add("delete", n, n.Pos(), n.End(), "")
		}
	}
}

// condition adds the negation of cond, but of an equation only compare's.
func (f *finder) condition(cond ast.Expr) {
	if cond == nil {
		return
	}
	if b, ok := cond.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	f.add("negate", cond, cond.Pos(), cond.End(), "!("+f.slice(cond.Pos(), cond.End())+")")
}

// isStatement reports whether n is a statement of a block, not the header of a for or an if.
func isStatement(parents []ast.Node, n ast.Node) bool {
	var list []ast.Stmt
	switch p := parents[len(parents)-1].(type) {
	case *ast.BlockStmt:
		list = p.List
	case *ast.CaseClause:
		list = p.Body
	case *ast.CommClause:
		list = p.Body
	}
	s, ok := n.(ast.Stmt)
	return ok && slices.Contains(list, s)
}

// around returns the largest node around a constant that is on one line and is neither
// a block nor a function: a constant alone would be the same text as many others.
func (f *finder) around(lit ast.Node, parents []ast.Node) ast.Node {
	best := lit
	for i := len(parents) - 1; i >= 0; i-- {
		p := parents[i]
		switch p.(type) {
		case *ast.BlockStmt, *ast.FuncLit, *ast.CaseClause, *ast.CommClause:
			return best
		}
		if text := f.slice(p.Pos(), p.End()); strings.Contains(text, "\n") || len(text) > 100 {
			return best
		}
		best = p
	}
	return best
}

// add adds a mutant that replaces the source from start to end; node is what it is
// found again by.
func (f *finder) add(operator string, node ast.Node, start, end token.Pos, replacement string) {
	at := f.fset.Position(start)
	f.found = append(f.found, &mutant{
		line: at.Line, column: at.Column, operator: operator, function: f.function,
		text:  oneLine(f.slice(node.Pos(), node.End())),
		start: at.Offset, end: f.fset.Position(end).Offset, replacement: replacement,
		lo: f.fset.Position(node.Pos()).Offset, hi: f.fset.Position(node.End()).Offset,
	})
}

func (f *finder) slice(from, to token.Pos) string {
	return string(f.source[f.fset.Position(from).Offset:f.fset.Position(to).Offset])
}

// oneLine returns a text with each run of white space as one space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
