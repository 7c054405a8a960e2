/** The rules of this page: features never import each other, no words outside the catalogues, no style attributes. */
import { dirname, resolve } from 'node:path';

const feature = (path) => /\/src\/features\/([^/]+)\//.exec(path)?.[1];
const part = (path) => /\/src\/(lib|app|features)\//.exec(path)?.[1];

const featuresApart = {
  create(context) {
    const from = context.filename.replaceAll('\\', '/');
    const look = (node, name) => {
      if (typeof name !== 'string') return;
      const path = name.startsWith('.') ? resolve(dirname(from), name) : name.startsWith('$lib/') ? `/src/lib/${name}` : '';
      const mine = feature(from);
      const theirs = feature(path);
      if (mine && theirs && mine !== theirs) context.report({ node, message: `Features never import each other: ${mine} imports ${theirs}. What both need belongs into lib/parts.` });
      if (mine && part(path) === 'app') context.report({ node, message: 'A feature knows nothing of the frame around it.' });
      if (part(from) === 'lib' && (theirs || part(path) === 'app')) context.report({ node, message: 'What is shared knows no feature.' });
    };
    return {
      ImportDeclaration: (node) => look(node, node.source.value),
      ImportExpression: (node) => look(node, node.source.value),
      ExportNamedDeclaration: (node) => look(node, node.source?.value),
      ExportAllDeclaration: (node) => look(node, node.source.value),
    };
  },
};

const spoken = new Set(['aria-label', 'aria-description', 'aria-roledescription', 'placeholder', 'title', 'alt', 'label']);
const letters = /\p{L}{2,}/u;
const wordsInCatalogue = {
  create(context) {
    const report = (node) => context.report({ node, message: 'Words belong into messages/*.json.' });
    return {
      SvelteText(node) {
        if (node.parent?.type === 'SvelteStyleElement' || node.parent?.type === 'SvelteScriptElement') return;
        if (letters.test(node.value.replace(/&\w+;/g, ''))) report(node);
      },
      SvelteAttribute(node) {
        if (!spoken.has(node.key.name)) return;
        for (const value of node.value) if (value.type === 'SvelteLiteral' && letters.test(value.value)) report(value);
      },
      SvelteMustacheTag(node) {
        const said = (e) => {
          if (!e) return;
          if (e.type === 'Literal' && typeof e.value === 'string' && letters.test(e.value)) report(e);
          if (e.type === 'ConditionalExpression') { said(e.consequent); said(e.alternate); }
          if (e.type === 'TemplateLiteral' && e.quasis.some((q) => letters.test(q.value.cooked ?? ''))) report(e);
        };
        const { parent } = node;
        if (parent?.type === 'SvelteAttribute') { if (spoken.has(parent.key.name)) said(node.expression); }
        else if (parent?.type === 'SvelteElement' || parent?.type?.endsWith('Block')) said(node.expression);
      },
    };
  },
};

const noStyleAttribute = {
  create: (context) => ({
    SvelteAttribute(node) {
      if (node.key.name === 'style') context.report({ node, message: 'The content policy allows no style attributes: use a class, or style:--x.' });
    },
  }),
};

/** Names and titles of others are tamed before they are shown: a closing isolate would turn the words behind the element. */
const ofKiez = new Set(['said', 'tamed', 'optionText']);
const saidInBdi = {
  create: (context) => ({
    SvelteElement(node) {
      if (node.name.name !== 'bdi') return;
      for (const child of node.children) {
        if (child.type !== 'SvelteMustacheTag') continue;
        const call = child.expression.type === 'CallExpression' ? child.expression.callee.name : null;
        if (!ofKiez.has(call)) context.report({ node: child, message: 'What stands in bdi is of others: said(…).' });
      }
    },
  }),
};

export default { rules: { 'no-style-attribute': noStyleAttribute, 'said-in-bdi': saidInBdi, 'features-apart': featuresApart, 'words-in-catalogue': wordsInCatalogue } };
