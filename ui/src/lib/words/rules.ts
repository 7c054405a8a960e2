/** The group's rules in plain words, from the fields of its charter. */
import type { Amendment, CharterCard, Fund, Share, Template } from '../api';
import { money } from './format';
import { m } from './index';

export type Rule = Amendment['rule'];
export const rules: readonly Rule[] = ['inviters', 'vouchers', 'counters', 'quorum', 'fund'];
export const ruleName: Record<Rule, () => string> = {
  inviters: m.rule_inviters, vouchers: m.rule_vouchers, counters: m.rule_counters, quorum: m.rule_quorum, fund: m.rule_fund,
};
export const templateName: Record<Template, () => string> = { circle: m.template_circle, association: m.template_association, jury: m.template_jury };

/** The charter's own wording of a rule. */
export function ruleOf(charter: CharterCard, rule: Rule): Amendment {
  switch (rule) {
    case 'inviters': return { rule, to: charter.inviters };
    case 'vouchers': return { rule, to: charter.vouchers };
    case 'counters': return { rule, to: charter.counters };
    case 'quorum': return { rule, to: charter.quorum };
    case 'fund': return { rule, to: charter.fund };
  }
}
/** A rule as one reads it. */
export function ruleText(rule: Amendment): string {
  switch (rule.rule) {
    case 'inviters': return rule.to === 'members' ? m.rule_inviters_members() : m.rule_inviters_stewards();
    case 'vouchers': return rule.to === 0 ? m.rule_vouchers_none() : m.rule_vouchers_some({ count: rule.to });
    case 'counters': return rule.to === 'opener' ? m.rule_counters_opener() : m.rule_counters_stewards();
    case 'quorum': return rule.to.numerator === 0 ? m.rule_quorum_none() : m.rule_quorum_some({ share: shareText(rule.to) });
    case 'fund': return fundText(rule.to);
  }
}
/** All of them, in their order. */
export const charterText = (charter: CharterCard): { rule: Rule; text: string }[] => rules.map((rule) => ({ rule, text: ruleText(ruleOf(charter, rule)) }));

function fundText(fund: Fund | null): string {
  if (fund === null) return m.rule_fund_none();
  return [
    fund.jurors === 'drawn' ? m.rule_fund_drawn() : m.rule_fund_named(),
    ...(fund.residents.numerator === 0 ? [] : [m.rule_fund_residents({ share: shareText(fund.residents) })]),
    fund.cap === null ? m.rule_fund_no_cap() : m.rule_fund_cap({ amount: money(fund.cap) }),
  ].join(' ');
}

/** The shares that have a word of their own. */
export const shares: readonly { share: Share; word: () => string }[] = [
  { share: { numerator: 1, denominator: 4 }, word: m.share_quarter }, { share: { numerator: 1, denominator: 3 }, word: m.share_third },
  { share: { numerator: 1, denominator: 2 }, word: m.share_half }, { share: { numerator: 2, denominator: 3 }, word: m.share_two_thirds },
  { share: { numerator: 3, denominator: 4 }, word: m.share_three_quarters }, { share: { numerator: 1, denominator: 1 }, word: m.share_all },
];
export function shareText({ numerator, denominator }: Share): string {
  const known = shares.find(({ share }) => share.numerator * denominator === share.denominator * numerator);
  if (known) return known.word();
  return (100 * numerator) % denominator === 0 ? m.share_percent({ percent: (100 * numerator) / denominator }) : m.share_of({ numerator, denominator });
}
