// Prints the OpenAPI document of the part of Microsoft Graph that provider/outlook calls:
//
//   npm install --ignore-scripts && node generate.mjs > openapi.json
//
// Every property and enum comes from the types that Microsoft makes of Graph's CSDL. A schema takes nothing
// beside its properties and OData's annotations.
import { readFileSync } from 'node:fs'
import { paths, handwritten } from './paths.mjs'

const types = readFileSync('node_modules/@microsoft/microsoft-graph-types/microsoft-graph.d.ts', 'utf8')
  .replace(/\/\*[^]*?\*\//g, '')
  .replace(/^\s*\/\/.*$/gm, '')

// The types that calls of the provider carry. Properties of other types are left out.
const entities = [
  'Message', 'EventMessage', 'EventMessageRequest', 'EventMessageResponse', 'MailFolder', 'FileAttachment',
  'ItemAttachment', 'SingleValueLegacyExtendedProperty', 'Subscription', 'User',
]
const complex = [
  'ItemBody', 'Recipient', 'EmailAddress', 'FollowupFlag', 'DateTimeTimeZone', 'InternetMessageHeader',
  'AttachmentItem', 'UploadSession',
]
// What stands in the place of a type: those that are derived from it.
const derived = {
  Attachment: ['FileAttachment', 'ItemAttachment'],
  Message: ['Message', 'EventMessage', 'EventMessageRequest', 'EventMessageResponse'],
}
// What v1.0 answers and its CSDL leaves out, as recorded in mailfolders.json.
const observed = { MailFolder: { sizeInBytes: { type: 'integer' } } }

const lower = (name) => name[0].toLowerCase() + name.slice(1)
const ref = (name) => ({ $ref: '#/components/schemas/' + name })

function declared(name) {
  const found = types.match(new RegExp(`export interface ${name} (?:extends (\\w+) )?\\{([^}]*)\\}`))
  if (!found) throw new Error('no type ' + name)
  const own = [...found[2].matchAll(/(\w+)\??:\s*([^;]+);/g)].map(([, property, type]) => [property, type.trim()])
  return found[1] ? [...declared(found[1]), ...own] : own
}

function values(name) {
  const found = types.match(new RegExp(`export type ${name} =([^;]+);`))
  const list = found && [...found[1].matchAll(/"([^"]+)"/g)].map((m) => m[1])
  return list?.length ? list : undefined
}

// The schema of a type of TypeScript, undefined where the subset has none.
function schema(type, property) {
  const optional = type.match(/^NullableOption<([^]+)>$/)
  if (optional) {
    const some = schema(optional[1], property)
    if (!some) return undefined
    if (some.type) return { ...some, type: [some.type, 'null'], ...(some.enum && { enum: [...some.enum, null] }) }
    return { anyOf: [some, { type: 'null' }] }
  }
  if (type.endsWith('[]')) {
    const items = schema(type.slice(0, -2), property)
    return items && { type: 'array', items }
  }
  switch (type) {
    case 'string': // of these types only times have names that end like this, and only bytes this one
      if (property === 'contentBytes') return { type: 'string', format: 'byte' }
      return property.length > 8 && property.endsWith('DateTime')
        ? { type: 'string', format: 'date-time' }
        : { type: 'string' }
    case 'number': // Edm.Int32 and Edm.Int64, in all of these types
      return { type: 'integer' }
    case 'boolean':
      return { type: 'boolean' }
  }
  const list = values(type)
  if (list) return { type: 'string', enum: list }
  if (derived[type]) return { anyOf: derived[type].map((name) => ref(lower(name))) }
  return entities.includes(type) || complex.includes(type) ? ref(lower(type)) : undefined
}

const annotations = { '^[A-Za-z]*@odata\\.[A-Za-z.]+$': true }

function component(name) {
  const properties = {}
  for (const [property, type] of declared(name)) {
    const s = schema(type, property)
    if (s) properties[property] = s
  }
  Object.assign(properties, observed[name])
  const named = Object.values(derived).some((list) => list.includes(name))
  if (named) properties['@odata.type'] = { enum: ['#microsoft.graph.' + lower(name)] }
  return {
    type: 'object', properties, patternProperties: annotations, additionalProperties: false,
    ...(named && name !== 'Message' && { required: ['@odata.type'] }),
  }
}

const schemas = {}
for (const name of [...entities, ...complex]) schemas[lower(name)] = component(name)

// What paths say of the types: whole answers have every property that is never null.
const of = {
  ref: (name) => (derived[name] ? { anyOf: derived[name].map((d) => ref(lower(d))) } : ref(lower(name))),
  whole: (name) => ({
    allOf: [of.ref(name), {
      required: declared(name).filter(([, type]) => !type.startsWith('NullableOption<')).map(([property]) => property),
    }],
  }),
  selected: (name) => ({ allOf: [of.ref(name), { required: ['id'] }] }),
  properties: (name) => declared(name).filter(([p, type]) => schema(type, p)).map(([p]) => p)
    .concat(Object.keys(observed[name] ?? {})),
  annotations,
}
Object.assign(schemas, handwritten(of))

process.stdout.write(JSON.stringify({
  openapi: '3.1.0',
  info: {
    title: 'The part of Microsoft Graph that provider/outlook calls', version: 'v1.0',
    license: { name: 'MIT', url: 'https://github.com/microsoftgraph/msgraph-typescript-typings/blob/main/LICENSE' },
  },
  security: [{ token: [] }],
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas },
  paths: paths(of),
}, null, 1) + '\n')
