/* The table of the abstract grammar. */

#include "ast_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UP_TO(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))
#define FIELD(type, member, name, kind, quantity)                                                  \
    {                                                                                              \
#name, kind, AST_##quantity, offsetof(struct type, member)                                 \
    }

static const struct ast_field Module_fields[] = {
    FIELD(ast_module, module.body, body, GROUP_STMT, MANY),
    FIELD(ast_module, module.type_ignores, type_ignores, GROUP_TYPE_IGNORE, MANY),
};
static const struct ast_field Interactive_fields[] = {
    FIELD(ast_module, interactive.body, body, GROUP_STMT, MANY),
};
static const struct ast_field Expression_fields[] = {
    FIELD(ast_module, expression.body, body, GROUP_EXPR, ONE),
};
static const struct ast_field FunctionType_fields[] = {
    FIELD(ast_module, functiontype.argtypes, argtypes, GROUP_EXPR, MANY),
    FIELD(ast_module, functiontype.returns, returns, GROUP_EXPR, ONE),
};
static const struct ast_node mod_nodes[] = {
    {"Module", Module_fields, COUNT(Module_fields), UP_TO(ast_module, module)},
    {"Interactive", Interactive_fields, COUNT(Interactive_fields), UP_TO(ast_module, interactive)},
    {"Expression", Expression_fields, COUNT(Expression_fields), UP_TO(ast_module, expression)},
    {"FunctionType", FunctionType_fields, COUNT(FunctionType_fields),
     UP_TO(ast_module, functiontype)},
};

static const struct ast_field FunctionDef_fields[] = {
    FIELD(stmt, functiondef.name, name, TYPE_IDENTIFIER, ONE),
    FIELD(stmt, functiondef.args, args, GROUP_ARGUMENTS, ONE),
    FIELD(stmt, functiondef.body, body, GROUP_STMT, MANY),
    FIELD(stmt, functiondef.decorator_list, decorator_list, GROUP_EXPR, MANY),
    FIELD(stmt, functiondef.returns, returns, GROUP_EXPR, OPTIONAL),
    FIELD(stmt, functiondef.type_comment, type_comment, TYPE_STRING, OPTIONAL),
    FIELD(stmt, functiondef.type_params, type_params, GROUP_TYPE_PARAM, MANY),
};
static const struct ast_field AsyncFunctionDef_fields[] = {
    FIELD(stmt, functiondef.name, name, TYPE_IDENTIFIER, ONE),
    FIELD(stmt, functiondef.args, args, GROUP_ARGUMENTS, ONE),
    FIELD(stmt, functiondef.body, body, GROUP_STMT, MANY),
    FIELD(stmt, functiondef.decorator_list, decorator_list, GROUP_EXPR, MANY),
    FIELD(stmt, functiondef.returns, returns, GROUP_EXPR, OPTIONAL),
    FIELD(stmt, functiondef.type_comment, type_comment, TYPE_STRING, OPTIONAL),
    FIELD(stmt, functiondef.type_params, type_params, GROUP_TYPE_PARAM, MANY),
};
static const struct ast_field ClassDef_fields[] = {
    FIELD(stmt, classdef.name, name, TYPE_IDENTIFIER, ONE),
    FIELD(stmt, classdef.bases, bases, GROUP_EXPR, MANY),
    FIELD(stmt, classdef.keywords, keywords, GROUP_KEYWORD, MANY),
    FIELD(stmt, classdef.body, body, GROUP_STMT, MANY),
    FIELD(stmt, classdef.decorator_list, decorator_list, GROUP_EXPR, MANY),
    FIELD(stmt, classdef.type_params, type_params, GROUP_TYPE_PARAM, MANY),
};
static const struct ast_field Return_fields[] = {
    FIELD(stmt, return_.value, value, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field Delete_fields[] = {
    FIELD(stmt, delete_.targets, targets, GROUP_EXPR, MANY),
};
static const struct ast_field Assign_fields[] = {
    FIELD(stmt, assign.targets, targets, GROUP_EXPR, MANY),
    FIELD(stmt, assign.value, value, GROUP_EXPR, ONE),
    FIELD(stmt, assign.type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_field TypeAlias_fields[] = {
    FIELD(stmt, typealias.name, name, GROUP_EXPR, ONE),
    FIELD(stmt, typealias.type_params, type_params, GROUP_TYPE_PARAM, MANY),
    FIELD(stmt, typealias.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field AugAssign_fields[] = {
    FIELD(stmt, augassign.target, target, GROUP_EXPR, ONE),
    FIELD(stmt, op, op, GROUP_OPERATOR, ONE),
    FIELD(stmt, augassign.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field AnnAssign_fields[] = {
    FIELD(stmt, annassign.target, target, GROUP_EXPR, ONE),
    FIELD(stmt, annassign.annotation, annotation, GROUP_EXPR, ONE),
    FIELD(stmt, annassign.value, value, GROUP_EXPR, OPTIONAL),
    FIELD(stmt, annassign.simple, simple, TYPE_INT, ONE),
};
static const struct ast_field For_fields[] = {
    FIELD(stmt, for_.target, target, GROUP_EXPR, ONE),
    FIELD(stmt, for_.iter, iter, GROUP_EXPR, ONE),
    FIELD(stmt, for_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, for_.orelse, orelse, GROUP_STMT, MANY),
    FIELD(stmt, for_.type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_field AsyncFor_fields[] = {
    FIELD(stmt, for_.target, target, GROUP_EXPR, ONE),
    FIELD(stmt, for_.iter, iter, GROUP_EXPR, ONE),
    FIELD(stmt, for_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, for_.orelse, orelse, GROUP_STMT, MANY),
    FIELD(stmt, for_.type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_field While_fields[] = {
    FIELD(stmt, while_.test, test, GROUP_EXPR, ONE),
    FIELD(stmt, while_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, while_.orelse, orelse, GROUP_STMT, MANY),
};
static const struct ast_field If_fields[] = {
    FIELD(stmt, if_.test, test, GROUP_EXPR, ONE),
    FIELD(stmt, if_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, if_.orelse, orelse, GROUP_STMT, MANY),
};
static const struct ast_field With_fields[] = {
    FIELD(stmt, with.items, items, GROUP_WITHITEM, MANY),
    FIELD(stmt, with.body, body, GROUP_STMT, MANY),
    FIELD(stmt, with.type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_field AsyncWith_fields[] = {
    FIELD(stmt, with.items, items, GROUP_WITHITEM, MANY),
    FIELD(stmt, with.body, body, GROUP_STMT, MANY),
    FIELD(stmt, with.type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_field Match_fields[] = {
    FIELD(stmt, match.subject, subject, GROUP_EXPR, ONE),
    FIELD(stmt, match.cases, cases, GROUP_MATCH_CASE, MANY),
};
static const struct ast_field Raise_fields[] = {
    FIELD(stmt, raise.exc, exc, GROUP_EXPR, OPTIONAL),
    FIELD(stmt, raise.cause, cause, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field Try_fields[] = {
    FIELD(stmt, try_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, try_.handlers, handlers, GROUP_EXCEPTHANDLER, MANY),
    FIELD(stmt, try_.orelse, orelse, GROUP_STMT, MANY),
    FIELD(stmt, try_.finalbody, finalbody, GROUP_STMT, MANY),
};
static const struct ast_field TryStar_fields[] = {
    FIELD(stmt, try_.body, body, GROUP_STMT, MANY),
    FIELD(stmt, try_.handlers, handlers, GROUP_EXCEPTHANDLER, MANY),
    FIELD(stmt, try_.orelse, orelse, GROUP_STMT, MANY),
    FIELD(stmt, try_.finalbody, finalbody, GROUP_STMT, MANY),
};
static const struct ast_field Assert_fields[] = {
    FIELD(stmt, assert_.test, test, GROUP_EXPR, ONE),
    FIELD(stmt, assert_.msg, msg, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field Import_fields[] = {
    FIELD(stmt, import.names, names, GROUP_ALIAS, MANY),
};
static const struct ast_field ImportFrom_fields[] = {
    FIELD(stmt, importfrom.module, module, TYPE_IDENTIFIER, OPTIONAL),
    FIELD(stmt, importfrom.names, names, GROUP_ALIAS, MANY),
    FIELD(stmt, importfrom.level, level, TYPE_INT, OPTIONAL),
};
static const struct ast_field Global_fields[] = {
    FIELD(stmt, global.names, names, TYPE_IDENTIFIER, MANY),
};
static const struct ast_field Nonlocal_fields[] = {
    FIELD(stmt, global.names, names, TYPE_IDENTIFIER, MANY),
};
static const struct ast_field Expr_fields[] = {
    FIELD(stmt, expr.value, value, GROUP_EXPR, ONE),
};
static const struct ast_node stmt_nodes[] = {
    {"FunctionDef", FunctionDef_fields, COUNT(FunctionDef_fields), UP_TO(stmt, functiondef)},
    {"AsyncFunctionDef", AsyncFunctionDef_fields, COUNT(AsyncFunctionDef_fields),
     UP_TO(stmt, functiondef)},
    {"ClassDef", ClassDef_fields, COUNT(ClassDef_fields), UP_TO(stmt, classdef)},
    {"Return", Return_fields, COUNT(Return_fields), UP_TO(stmt, return_)},
    {"Delete", Delete_fields, COUNT(Delete_fields), UP_TO(stmt, delete_)},
    {"Assign", Assign_fields, COUNT(Assign_fields), UP_TO(stmt, assign)},
    {"TypeAlias", TypeAlias_fields, COUNT(TypeAlias_fields), UP_TO(stmt, typealias)},
    {"AugAssign", AugAssign_fields, COUNT(AugAssign_fields), UP_TO(stmt, augassign)},
    {"AnnAssign", AnnAssign_fields, COUNT(AnnAssign_fields), UP_TO(stmt, annassign)},
    {"For", For_fields, COUNT(For_fields), UP_TO(stmt, for_)},
    {"AsyncFor", AsyncFor_fields, COUNT(AsyncFor_fields), UP_TO(stmt, for_)},
    {"While", While_fields, COUNT(While_fields), UP_TO(stmt, while_)},
    {"If", If_fields, COUNT(If_fields), UP_TO(stmt, if_)},
    {"With", With_fields, COUNT(With_fields), UP_TO(stmt, with)},
    {"AsyncWith", AsyncWith_fields, COUNT(AsyncWith_fields), UP_TO(stmt, with)},
    {"Match", Match_fields, COUNT(Match_fields), UP_TO(stmt, match)},
    {"Raise", Raise_fields, COUNT(Raise_fields), UP_TO(stmt, raise)},
    {"Try", Try_fields, COUNT(Try_fields), UP_TO(stmt, try_)},
    {"TryStar", TryStar_fields, COUNT(TryStar_fields), UP_TO(stmt, try_)},
    {"Assert", Assert_fields, COUNT(Assert_fields), UP_TO(stmt, assert_)},
    {"Import", Import_fields, COUNT(Import_fields), UP_TO(stmt, import)},
    {"ImportFrom", ImportFrom_fields, COUNT(ImportFrom_fields), UP_TO(stmt, importfrom)},
    {"Global", Global_fields, COUNT(Global_fields), UP_TO(stmt, global)},
    {"Nonlocal", Nonlocal_fields, COUNT(Nonlocal_fields), UP_TO(stmt, global)},
    {"Expr", Expr_fields, COUNT(Expr_fields), UP_TO(stmt, expr)},
    {"Pass", NULL, 0, UP_TO(stmt, pos)},
    {"Break", NULL, 0, UP_TO(stmt, pos)},
    {"Continue", NULL, 0, UP_TO(stmt, pos)},
};

static const struct ast_field BoolOp_fields[] = {
    FIELD(expr, op, op, GROUP_BOOLOP, ONE),
    FIELD(expr, boolop.values, values, GROUP_EXPR, MANY),
};
static const struct ast_field NamedExpr_fields[] = {
    FIELD(expr, namedexpr.target, target, GROUP_EXPR, ONE),
    FIELD(expr, namedexpr.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field BinOp_fields[] = {
    FIELD(expr, binop.left, left, GROUP_EXPR, ONE),
    FIELD(expr, op, op, GROUP_OPERATOR, ONE),
    FIELD(expr, binop.right, right, GROUP_EXPR, ONE),
};
static const struct ast_field UnaryOp_fields[] = {
    FIELD(expr, op, op, GROUP_UNARYOP, ONE),
    FIELD(expr, unaryop.operand, operand, GROUP_EXPR, ONE),
};
static const struct ast_field Lambda_fields[] = {
    FIELD(expr, lambda.args, args, GROUP_ARGUMENTS, ONE),
    FIELD(expr, lambda.body, body, GROUP_EXPR, ONE),
};
static const struct ast_field IfExp_fields[] = {
    FIELD(expr, ifexp.test, test, GROUP_EXPR, ONE),
    FIELD(expr, ifexp.body, body, GROUP_EXPR, ONE),
    FIELD(expr, ifexp.orelse, orelse, GROUP_EXPR, ONE),
};
static const struct ast_field Dict_fields[] = {
    FIELD(expr, dict.keys, keys, GROUP_EXPR, MANY),
    FIELD(expr, dict.values, values, GROUP_EXPR, MANY),
};
static const struct ast_field Set_fields[] = {
    FIELD(expr, set.elts, elts, GROUP_EXPR, MANY),
};
static const struct ast_field ListComp_fields[] = {
    FIELD(expr, listcomp.elt, elt, GROUP_EXPR, ONE),
    FIELD(expr, listcomp.generators, generators, GROUP_COMPREHENSION, MANY),
};
static const struct ast_field SetComp_fields[] = {
    FIELD(expr, setcomp.elt, elt, GROUP_EXPR, ONE),
    FIELD(expr, setcomp.generators, generators, GROUP_COMPREHENSION, MANY),
};
static const struct ast_field DictComp_fields[] = {
    FIELD(expr, dictcomp.key, key, GROUP_EXPR, ONE),
    FIELD(expr, dictcomp.value, value, GROUP_EXPR, ONE),
    FIELD(expr, dictcomp.generators, generators, GROUP_COMPREHENSION, MANY),
};
static const struct ast_field GeneratorExp_fields[] = {
    FIELD(expr, generatorexp.elt, elt, GROUP_EXPR, ONE),
    FIELD(expr, generatorexp.generators, generators, GROUP_COMPREHENSION, MANY),
};
static const struct ast_field Await_fields[] = {
    FIELD(expr, await.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field Yield_fields[] = {
    FIELD(expr, yield.value, value, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field YieldFrom_fields[] = {
    FIELD(expr, yieldfrom.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field Compare_fields[] = {
    FIELD(expr, compare.left, left, GROUP_EXPR, ONE),
    FIELD(expr, compare.ops, ops, GROUP_CMPOP, MANY),
    FIELD(expr, compare.comparators, comparators, GROUP_EXPR, MANY),
};
static const struct ast_field Call_fields[] = {
    FIELD(expr, call.func, func, GROUP_EXPR, ONE),
    FIELD(expr, call.args, args, GROUP_EXPR, MANY),
    FIELD(expr, call.keywords, keywords, GROUP_KEYWORD, MANY),
};
static const struct ast_field FormattedValue_fields[] = {
    FIELD(expr, formattedvalue.value, value, GROUP_EXPR, ONE),
    FIELD(expr, formattedvalue.conversion, conversion, TYPE_INT, ONE),
    FIELD(expr, formattedvalue.format_spec, format_spec, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field JoinedStr_fields[] = {
    FIELD(expr, joinedstr.values, values, GROUP_EXPR, MANY),
};
static const struct ast_field Constant_fields[] = {
    FIELD(expr, constant.value, value, TYPE_CONSTANT, ONE),
    FIELD(expr, constant.kind, kind, TYPE_STRING, OPTIONAL),
};
static const struct ast_field Attribute_fields[] = {
    FIELD(expr, attribute.value, value, GROUP_EXPR, ONE),
    FIELD(expr, attribute.attr, attr, TYPE_IDENTIFIER, ONE),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field Subscript_fields[] = {
    FIELD(expr, subscript.value, value, GROUP_EXPR, ONE),
    FIELD(expr, subscript.slice, slice, GROUP_EXPR, ONE),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field Starred_fields[] = {
    FIELD(expr, starred.value, value, GROUP_EXPR, ONE),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field Name_fields[] = {
    FIELD(expr, name.id, id, TYPE_IDENTIFIER, ONE),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field List_fields[] = {
    FIELD(expr, list.elts, elts, GROUP_EXPR, MANY),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field Tuple_fields[] = {
    FIELD(expr, tuple.elts, elts, GROUP_EXPR, MANY),
    FIELD(expr, ctx, ctx, GROUP_EXPR_CONTEXT, ONE),
};
static const struct ast_field Slice_fields[] = {
    FIELD(expr, slice.lower, lower, GROUP_EXPR, OPTIONAL),
    FIELD(expr, slice.upper, upper, GROUP_EXPR, OPTIONAL),
    FIELD(expr, slice.step, step, GROUP_EXPR, OPTIONAL),
};
static const struct ast_node expr_nodes[] = {
    {"BoolOp", BoolOp_fields, COUNT(BoolOp_fields), UP_TO(expr, boolop)},
    {"NamedExpr", NamedExpr_fields, COUNT(NamedExpr_fields), UP_TO(expr, namedexpr)},
    {"BinOp", BinOp_fields, COUNT(BinOp_fields), UP_TO(expr, binop)},
    {"UnaryOp", UnaryOp_fields, COUNT(UnaryOp_fields), UP_TO(expr, unaryop)},
    {"Lambda", Lambda_fields, COUNT(Lambda_fields), UP_TO(expr, lambda)},
    {"IfExp", IfExp_fields, COUNT(IfExp_fields), UP_TO(expr, ifexp)},
    {"Dict", Dict_fields, COUNT(Dict_fields), UP_TO(expr, dict)},
    {"Set", Set_fields, COUNT(Set_fields), UP_TO(expr, set)},
    {"ListComp", ListComp_fields, COUNT(ListComp_fields), UP_TO(expr, listcomp)},
    {"SetComp", SetComp_fields, COUNT(SetComp_fields), UP_TO(expr, setcomp)},
    {"DictComp", DictComp_fields, COUNT(DictComp_fields), UP_TO(expr, dictcomp)},
    {"GeneratorExp", GeneratorExp_fields, COUNT(GeneratorExp_fields), UP_TO(expr, generatorexp)},
    {"Await", Await_fields, COUNT(Await_fields), UP_TO(expr, await)},
    {"Yield", Yield_fields, COUNT(Yield_fields), UP_TO(expr, yield)},
    {"YieldFrom", YieldFrom_fields, COUNT(YieldFrom_fields), UP_TO(expr, yieldfrom)},
    {"Compare", Compare_fields, COUNT(Compare_fields), UP_TO(expr, compare)},
    {"Call", Call_fields, COUNT(Call_fields), UP_TO(expr, call)},
    {"FormattedValue", FormattedValue_fields, COUNT(FormattedValue_fields),
     UP_TO(expr, formattedvalue)},
    {"JoinedStr", JoinedStr_fields, COUNT(JoinedStr_fields), UP_TO(expr, joinedstr)},
    {"Constant", Constant_fields, COUNT(Constant_fields), UP_TO(expr, constant)},
    {"Attribute", Attribute_fields, COUNT(Attribute_fields), UP_TO(expr, attribute)},
    {"Subscript", Subscript_fields, COUNT(Subscript_fields), UP_TO(expr, subscript)},
    {"Starred", Starred_fields, COUNT(Starred_fields), UP_TO(expr, starred)},
    {"Name", Name_fields, COUNT(Name_fields), UP_TO(expr, name)},
    {"List", List_fields, COUNT(List_fields), UP_TO(expr, list)},
    {"Tuple", Tuple_fields, COUNT(Tuple_fields), UP_TO(expr, tuple)},
    {"Slice", Slice_fields, COUNT(Slice_fields), UP_TO(expr, slice)},
};

static const struct ast_node expr_context_nodes[] = {
    {"Load", NULL, 0, 0},
    {"Store", NULL, 0, 0},
    {"Del", NULL, 0, 0},
};

static const struct ast_node boolop_nodes[] = {
    {"And", NULL, 0, 0},
    {"Or", NULL, 0, 0},
};

static const struct ast_node operator_nodes[] = {
    {"Add", NULL, 0, 0},      {"Sub", NULL, 0, 0},    {"Mult", NULL, 0, 0},
    {"MatMult", NULL, 0, 0},  {"Div", NULL, 0, 0},    {"Mod", NULL, 0, 0},
    {"Pow", NULL, 0, 0},      {"LShift", NULL, 0, 0}, {"RShift", NULL, 0, 0},
    {"BitOr", NULL, 0, 0},    {"BitXor", NULL, 0, 0}, {"BitAnd", NULL, 0, 0},
    {"FloorDiv", NULL, 0, 0},
};

static const struct ast_node unaryop_nodes[] = {
    {"Invert", NULL, 0, 0},
    {"Not", NULL, 0, 0},
    {"UAdd", NULL, 0, 0},
    {"USub", NULL, 0, 0},
};

static const struct ast_node cmpop_nodes[] = {
    {"Eq", NULL, 0, 0}, {"NotEq", NULL, 0, 0}, {"Lt", NULL, 0, 0}, {"LtE", NULL, 0, 0},
    {"Gt", NULL, 0, 0}, {"GtE", NULL, 0, 0},   {"Is", NULL, 0, 0}, {"IsNot", NULL, 0, 0},
    {"In", NULL, 0, 0}, {"NotIn", NULL, 0, 0},
};

static const struct ast_field comprehension_fields[] = {
    FIELD(comprehension, target, target, GROUP_EXPR, ONE),
    FIELD(comprehension, iter, iter, GROUP_EXPR, ONE),
    FIELD(comprehension, ifs, ifs, GROUP_EXPR, MANY),
    FIELD(comprehension, is_async, is_async, TYPE_INT, ONE),
};
static const struct ast_node comprehension_nodes[] = {
    {"comprehension", comprehension_fields, COUNT(comprehension_fields),
     sizeof(struct comprehension)},
};

static const struct ast_field ExceptHandler_fields[] = {
    FIELD(handler, type, type, GROUP_EXPR, OPTIONAL),
    FIELD(handler, name, name, TYPE_IDENTIFIER, OPTIONAL),
    FIELD(handler, body, body, GROUP_STMT, MANY),
};
static const struct ast_node excepthandler_nodes[] = {
    {"ExceptHandler", ExceptHandler_fields, COUNT(ExceptHandler_fields), sizeof(struct handler)},
};

static const struct ast_field arguments_fields[] = {
    FIELD(arguments, posonlyargs, posonlyargs, GROUP_ARG, MANY),
    FIELD(arguments, args, args, GROUP_ARG, MANY),
    FIELD(arguments, vararg, vararg, GROUP_ARG, OPTIONAL),
    FIELD(arguments, kwonlyargs, kwonlyargs, GROUP_ARG, MANY),
    FIELD(arguments, kw_defaults, kw_defaults, GROUP_EXPR, MANY),
    FIELD(arguments, kwarg, kwarg, GROUP_ARG, OPTIONAL),
    FIELD(arguments, defaults, defaults, GROUP_EXPR, MANY),
};
static const struct ast_node arguments_nodes[] = {
    {"arguments", arguments_fields, COUNT(arguments_fields), sizeof(struct arguments)},
};

static const struct ast_field arg_fields[] = {
    FIELD(arg, arg, arg, TYPE_IDENTIFIER, ONE),
    FIELD(arg, annotation, annotation, GROUP_EXPR, OPTIONAL),
    FIELD(arg, type_comment, type_comment, TYPE_STRING, OPTIONAL),
};
static const struct ast_node arg_nodes[] = {
    {"arg", arg_fields, COUNT(arg_fields), sizeof(struct arg)},
};

static const struct ast_field keyword_fields[] = {
    FIELD(keyword, arg, arg, TYPE_IDENTIFIER, OPTIONAL),
    FIELD(keyword, value, value, GROUP_EXPR, ONE),
};
static const struct ast_node keyword_nodes[] = {
    {"keyword", keyword_fields, COUNT(keyword_fields), sizeof(struct keyword)},
};

static const struct ast_field alias_fields[] = {
    FIELD(alias, name, name, TYPE_IDENTIFIER, ONE),
    FIELD(alias, asname, asname, TYPE_IDENTIFIER, OPTIONAL),
};
static const struct ast_node alias_nodes[] = {
    {"alias", alias_fields, COUNT(alias_fields), sizeof(struct alias)},
};

static const struct ast_field withitem_fields[] = {
    FIELD(withitem, context_expr, context_expr, GROUP_EXPR, ONE),
    FIELD(withitem, optional_vars, optional_vars, GROUP_EXPR, OPTIONAL),
};
static const struct ast_node withitem_nodes[] = {
    {"withitem", withitem_fields, COUNT(withitem_fields), sizeof(struct withitem)},
};

static const struct ast_field match_case_fields[] = {
    FIELD(match_case, pattern, pattern, GROUP_PATTERN, ONE),
    FIELD(match_case, guard, guard, GROUP_EXPR, OPTIONAL),
    FIELD(match_case, body, body, GROUP_STMT, MANY),
};
static const struct ast_node match_case_nodes[] = {
    {"match_case", match_case_fields, COUNT(match_case_fields), sizeof(struct match_case)},
};

static const struct ast_field MatchValue_fields[] = {
    FIELD(pattern, value.value, value, GROUP_EXPR, ONE),
};
static const struct ast_field MatchSingleton_fields[] = {
    FIELD(pattern, singleton.value, value, TYPE_CONSTANT, ONE),
};
static const struct ast_field MatchSequence_fields[] = {
    FIELD(pattern, sequence.patterns, patterns, GROUP_PATTERN, MANY),
};
static const struct ast_field MatchMapping_fields[] = {
    FIELD(pattern, mapping.keys, keys, GROUP_EXPR, MANY),
    FIELD(pattern, mapping.patterns, patterns, GROUP_PATTERN, MANY),
    FIELD(pattern, mapping.rest, rest, TYPE_IDENTIFIER, OPTIONAL),
};
static const struct ast_field MatchClass_fields[] = {
    FIELD(pattern, class_.cls, cls, GROUP_EXPR, ONE),
    FIELD(pattern, class_.patterns, patterns, GROUP_PATTERN, MANY),
    FIELD(pattern, class_.kwd_attrs, kwd_attrs, TYPE_IDENTIFIER, MANY),
    FIELD(pattern, class_.kwd_patterns, kwd_patterns, GROUP_PATTERN, MANY),
};
static const struct ast_field MatchStar_fields[] = {
    FIELD(pattern, star.name, name, TYPE_IDENTIFIER, OPTIONAL),
};
static const struct ast_field MatchAs_fields[] = {
    FIELD(pattern, as.pattern, pattern, GROUP_PATTERN, OPTIONAL),
    FIELD(pattern, as.name, name, TYPE_IDENTIFIER, OPTIONAL),
};
static const struct ast_field MatchOr_fields[] = {
    FIELD(pattern, or_.patterns, patterns, GROUP_PATTERN, MANY),
};
static const struct ast_node pattern_nodes[] = {
    {"MatchValue", MatchValue_fields, COUNT(MatchValue_fields), UP_TO(pattern, value)},
    {"MatchSingleton", MatchSingleton_fields, COUNT(MatchSingleton_fields),
     UP_TO(pattern, singleton)},
    {"MatchSequence", MatchSequence_fields, COUNT(MatchSequence_fields), UP_TO(pattern, sequence)},
    {"MatchMapping", MatchMapping_fields, COUNT(MatchMapping_fields), UP_TO(pattern, mapping)},
    {"MatchClass", MatchClass_fields, COUNT(MatchClass_fields), UP_TO(pattern, class_)},
    {"MatchStar", MatchStar_fields, COUNT(MatchStar_fields), UP_TO(pattern, star)},
    {"MatchAs", MatchAs_fields, COUNT(MatchAs_fields), UP_TO(pattern, as)},
    {"MatchOr", MatchOr_fields, COUNT(MatchOr_fields), UP_TO(pattern, or_)},
};

static const struct ast_field TypeIgnore_fields[] = {
    FIELD(typeignore, lineno, lineno, TYPE_INT, ONE),
    FIELD(typeignore, tag, tag, TYPE_STRING, ONE),
};
static const struct ast_node type_ignore_nodes[] = {
    {"TypeIgnore", TypeIgnore_fields, COUNT(TypeIgnore_fields), sizeof(struct typeignore)},
};

static const struct ast_field TypeVar_fields[] = {
    FIELD(typeparam, name, name, TYPE_IDENTIFIER, ONE),
    FIELD(typeparam, bound, bound, GROUP_EXPR, OPTIONAL),
    FIELD(typeparam, default_value, default_value, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field ParamSpec_fields[] = {
    FIELD(typeparam, name, name, TYPE_IDENTIFIER, ONE),
    FIELD(typeparam, default_value, default_value, GROUP_EXPR, OPTIONAL),
};
static const struct ast_field TypeVarTuple_fields[] = {
    FIELD(typeparam, name, name, TYPE_IDENTIFIER, ONE),
    FIELD(typeparam, default_value, default_value, GROUP_EXPR, OPTIONAL),
};
static const struct ast_node type_param_nodes[] = {
    {"TypeVar", TypeVar_fields, COUNT(TypeVar_fields), sizeof(struct typeparam)},
    {"ParamSpec", ParamSpec_fields, COUNT(ParamSpec_fields), sizeof(struct typeparam)},
    {"TypeVarTuple", TypeVarTuple_fields, COUNT(TypeVarTuple_fields), sizeof(struct typeparam)},
};

const struct ast_group ast_groups[GROUPS] = {
    [GROUP_MOD] = {"mod", mod_nodes, COUNT(mod_nodes), 0, false, false, -1},
    [GROUP_STMT] = {"stmt", stmt_nodes, COUNT(stmt_nodes), 4, false, false,
                    offsetof(struct stmt, pos)},
    [GROUP_EXPR] = {"expr", expr_nodes, COUNT(expr_nodes), 32, false, false,
                    offsetof(struct expr, pos)},
    [GROUP_EXPR_CONTEXT] = {"expr_context", expr_context_nodes, COUNT(expr_context_nodes), 59,
                            false, true, -1},
    [GROUP_BOOLOP] = {"boolop", boolop_nodes, COUNT(boolop_nodes), 62, false, true, -1},
    [GROUP_OPERATOR] = {"operator", operator_nodes, COUNT(operator_nodes), 64, false, true, -1},
    [GROUP_UNARYOP] = {"unaryop", unaryop_nodes, COUNT(unaryop_nodes), 77, false, true, -1},
    [GROUP_CMPOP] = {"cmpop", cmpop_nodes, COUNT(cmpop_nodes), 81, false, true, -1},
    [GROUP_COMPREHENSION] = {"comprehension", comprehension_nodes, COUNT(comprehension_nodes), 91,
                             true, false, -1},
    [GROUP_EXCEPTHANDLER] = {"excepthandler", excepthandler_nodes, COUNT(excepthandler_nodes), 92,
                             false, false, offsetof(struct handler, pos)},
    [GROUP_ARGUMENTS] = {"arguments", arguments_nodes, COUNT(arguments_nodes), 93, true, false, -1},
    [GROUP_ARG] = {"arg", arg_nodes, COUNT(arg_nodes), 94, true, false, offsetof(struct arg, pos)},
    [GROUP_KEYWORD] = {"keyword", keyword_nodes, COUNT(keyword_nodes), 95, true, false,
                       offsetof(struct keyword, pos)},
    [GROUP_ALIAS] = {"alias", alias_nodes, COUNT(alias_nodes), 96, true, false,
                     offsetof(struct alias, pos)},
    [GROUP_WITHITEM] = {"withitem", withitem_nodes, COUNT(withitem_nodes), 97, true, false, -1},
    [GROUP_MATCH_CASE] = {"match_case", match_case_nodes, COUNT(match_case_nodes), 98, true, false,
                          -1},
    [GROUP_PATTERN] = {"pattern", pattern_nodes, COUNT(pattern_nodes), 99, false, false,
                       offsetof(struct pattern, pos)},
    [GROUP_TYPE_IGNORE] = {"type_ignore", type_ignore_nodes, COUNT(type_ignore_nodes), 107, false,
                           false, -1},
    [GROUP_TYPE_PARAM] = {"type_param", type_param_nodes, COUNT(type_param_nodes), 108, false,
                          false, offsetof(struct typeparam, pos)},
};
