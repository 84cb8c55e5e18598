// The calls of provider/outlook, by hand from https://learn.microsoft.com/graph/api, and the shapes that are
// OData's and not of any type.

const ref = (name) => ({ $ref: '#/components/schemas/' + name })
const json = (schema) => ({ 'application/json': { schema } })
const answer = (schema, headers) => ({ description: 'done', content: json(schema), ...(headers && { headers }) })
const plain = (schema) => ({ description: 'done', content: { 'text/plain': { schema } } })
const empty = { description: 'done, without a body' }
const failures = { '4XX': answer(ref('failure')), '5XX': answer(ref('failure')) }

const inPath = (name) => ({ name, in: 'path', required: true, schema: { type: 'string', minLength: 1 } })
const query = (name, schema, style) => ({ name, in: 'query', schema, ...style })
const text = { type: 'string', minLength: 1 }
const top = query('$top', { type: 'integer', minimum: 1, maximum: 1000 })
const select = (names) => query('$select', { type: 'array', items: { enum: names } }, { style: 'form', explode: false })
// https://learn.microsoft.com/graph/outlook-immutable-id: it counts only where every request asks.
const immutable = {
  name: 'Prefer', in: 'header', required: true, schema: { type: 'string', pattern: 'IdType="ImmutableId"' },
}
// https://learn.microsoft.com/graph/api/message-delta
const sized = {
  ...immutable, schema: { type: 'string', pattern: '^IdType="ImmutableId", odata\\.maxpagesize=[1-9][0-9]*$' },
}
const received = { type: 'string', pattern: '^receivedDateTime (ge|lt) [0-9TZ:-]+( and receivedDateTime lt [0-9TZ:-]+)?$' }

const call = (parameters, responses, body) => ({
  parameters: [immutable, ...parameters],
  responses: { ...responses, ...failures },
  ...(body && { requestBody: { required: true, content: body } }),
})

const page = (items, links) => ({
  type: 'object', required: ['value'], additionalProperties: false, ...links,
  properties: {
    value: { type: 'array', items }, '@odata.context': text, '@odata.nextLink': { type: 'string', format: 'uri' },
    '@odata.deltaLink': { type: 'string', format: 'uri' }, '@odata.count': { type: 'integer' },
  },
})
const list = (items) => page(items, { not: { required: ['@odata.deltaLink'] } })
const round = (items) => page(items, { oneOf: [{ required: ['@odata.nextLink'] }, { required: ['@odata.deltaLink'] }] })
const removed = (items) => ({ anyOf: [items, ref('removed')] })

export const handwritten = (of) => ({
  // https://learn.microsoft.com/graph/delta-query-overview#resource-representation-in-the-delta-query-response
  removed: {
    type: 'object', required: ['id', '@removed'], patternProperties: of.annotations, additionalProperties: false,
    properties: {
      id: text,
      '@removed': {
        type: 'object', required: ['reason'], additionalProperties: false,
        properties: { reason: { enum: ['changed', 'deleted'] } },
      },
    },
  },
  // https://learn.microsoft.com/graph/errors
  failure: {
    type: 'object', required: ['error'], additionalProperties: false,
    properties: { error: ref('publicError') },
  },
  publicError: {
    type: 'object', required: ['code', 'message'], additionalProperties: false,
    properties: {
      code: text, message: { type: 'string' }, target: { type: ['string', 'null'] },
      details: { type: 'array', items: ref('publicError') },
      innerError: {
        type: 'object',
        properties: { date: text, 'request-id': text, 'client-request-id': text, code: text },
      },
    },
  },
  // https://learn.microsoft.com/graph/json-batching
  batchRequest: {
    type: 'object', required: ['requests'], additionalProperties: false,
    properties: {
      requests: {
        type: 'array', minItems: 1, maxItems: 20,
        items: {
          type: 'object', required: ['id', 'method', 'url'], additionalProperties: false,
          properties: {
            id: text, method: { enum: ['GET'] }, url: { type: 'string', pattern: '^/' },
            headers: {
              type: 'object', required: ['Prefer'], additionalProperties: { type: 'string' },
              properties: { Prefer: { type: 'string', pattern: 'IdType="ImmutableId"' } },
            },
            dependsOn: { type: 'array', items: text, minItems: 1 },
          },
        },
      },
    },
  },
  batchResponse: {
    type: 'object', required: ['responses'], patternProperties: of.annotations, additionalProperties: false,
    properties: {
      responses: {
        type: 'array',
        items: {
          type: 'object', required: ['id', 'status'], additionalProperties: false,
          properties: {
            id: text, status: { type: 'integer', minimum: 100, maximum: 599 },
            headers: { type: 'object', additionalProperties: { type: 'string' } },
            // A message, an error, or base64.
            body: { anyOf: [of.selected('Message'), ref('failure'), { type: 'string', format: 'byte' }] },
          },
        },
      },
    },
  },
})

export const paths = (of) => {
  const message = of.selected('Message')
  const folder = of.selected('MailFolder')
  const messageFields = select(of.properties('Message'))
  const folderFields = select(of.properties('MailFolder'))
  const mime = { 'text/plain': { schema: { type: 'string', pattern: '^[A-Za-z0-9+/]+=*$' } } }
  const messageList = (parameters, filter) => call([
    ...parameters, messageFields, top, query('$orderby', { enum: ['receivedDateTime desc'] }),
    query('$filter', filter), query('$count', { enum: ['true'] }), query('$skip', text), query('$skiptoken', text),
  ], { 200: answer(list(message)) })
  const messageDelta = {
    get: {
      ...call([
        inPath('folder'), messageFields, query('$filter', received), query('$skiptoken', text), query('$deltatoken', text),
      ], { 200: answer(round(removed(message))) }),
    },
  }
  messageDelta.get.parameters[0] = sized
  const folderDelta = call([folderFields, query('$skiptoken', text), query('$deltatoken', text)],
    { 200: answer(round(removed(folder))) })
  folderDelta.parameters[0] = sized
  const session = {
    properties: { expirationDateTime: true, nextExpectedRanges: true },
    required: ['expirationDateTime', 'nextExpectedRanges'],
  }
  const uploadStatus = answer({ allOf: [of.ref('UploadSession'), session] })
  return {
    '/v1.0/me': {
      get: {
        parameters: [immutable, select(of.properties('User'))],
        responses: { 200: answer(of.selected('User')), ...failures },
      },
    },
    '/v1.0/me/mailFolders/delta': { get: folderDelta },
    '/v1.0/me/mailFolders/{folder}': {
      get: call([inPath('folder'), folderFields], { 200: answer(folder) }),
    },
    '/v1.0/me/mailFolders/{folder}/messages': { get: messageList([inPath('folder')], received) },
    '/v1.0/me/mailFolders/{folder}/messages/delta': messageDelta,
    "/v1.0/me/mailFolders('{folder}')/messages/delta": messageDelta,
    '/v1.0/me/messages': {
      get: messageList([], text),
      post: call([], { 201: answer(message) }, { ...json(of.ref('Message')), ...mime }),
    },
    '/v1.0/me/messages/$count': { get: call([query('$filter', received)], { 200: plain({ type: 'string', pattern: '^[0-9]+$' }) }) },
    '/v1.0/me/messages/{message}': {
      get: call([inPath('message'), messageFields], { 200: answer(message) }),
      patch: call([inPath('message')], { 200: answer(message) }, json(of.ref('Message'))),
      delete: call([inPath('message')], { 204: empty }),
    },
    '/v1.0/me/messages/{message}/$value': { get: call([inPath('message')], { 200: plain(text) }) },
    '/v1.0/me/messages/{message}/send': { post: call([inPath('message')], { 202: empty }) },
    '/v1.0/me/messages/{message}/createReply': {
      // The CSDL writes the parameters of this action with capitals, its page without, and Graph takes both.
      post: call([inPath('message')], { 201: answer(message) }, json({
        type: 'object', additionalProperties: false,
        properties: {
          Message: of.ref('Message'), Comment: { type: 'string' }, message: of.ref('Message'), comment: { type: 'string' },
        },
      })),
    },
    '/v1.0/me/messages/{message}/attachments': {
      get: call([inPath('message'), select(of.properties('Attachment'))],
        { 200: answer(list({ allOf: [of.ref('Attachment'), { required: ['id'] }] })) }),
      post: call([inPath('message')], { 201: answer(of.whole('FileAttachment')) }, json({
        allOf: [of.ref('FileAttachment'), { required: ['@odata.type', 'name', 'contentBytes'] }],
      })),
    },
    '/v1.0/me/messages/{message}/attachments/createUploadSession': {
      post: call([inPath('message')], {
        201: answer({ allOf: [of.ref('UploadSession'), { required: ['uploadUrl', ...session.required] }] }),
      }, json({
        type: 'object', required: ['AttachmentItem'], additionalProperties: false,
        properties: { AttachmentItem: { allOf: [of.ref('AttachmentItem'), { required: ['attachmentType', 'name', 'size'] }] } },
      })),
    },
    '/v1.0/me/sendMail': { post: call([], { 202: empty }, mime) },
    '/v1.0/subscriptions': {
      post: call([], { 201: answer(of.whole('Subscription')) }, json({
        allOf: [of.ref('Subscription'), { required: ['changeType', 'notificationUrl', 'resource', 'expirationDateTime'] }],
      })),
    },
    '/v1.0/subscriptions/{subscription}': {
      patch: call([inPath('subscription')], { 200: answer(of.whole('Subscription')) }, json({
        allOf: [of.ref('Subscription'), { required: ['expirationDateTime'] }],
      })),
      delete: call([inPath('subscription')], { 204: empty }),
    },
    '/v1.0/$batch': {
      post: {
        requestBody: { required: true, content: json(ref('batchRequest')) },
        responses: { 200: answer(ref('batchResponse')), ...failures },
      },
    },
    // https://learn.microsoft.com/graph/outlook-large-attachments: the address has its permission in itself.
    '/attachments/{session}': {
      put: {
        security: [],
        parameters: [inPath('session'), {
          name: 'Content-Range', in: 'header', required: true,
          schema: { type: 'string', pattern: '^bytes [0-9]+-[0-9]+/[0-9]+$' },
        }],
        requestBody: { required: true, content: { 'application/octet-stream': {} } },
        responses: {
          200: uploadStatus, ...failures,
          201: { description: 'the last range', headers: { Location: { required: true, schema: { type: 'string', format: 'uri' } } } },
        },
      },
    },
  }
}
