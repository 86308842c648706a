-- Argo CD health of AdoIntegration and AdoProjectConfig, from their conditions.
-- For argocd-cm, key resource.customizations.health.ado.testops.dev_* ; it needs no library that Argo CD closes to users.
--
--   Progressing  being deleted; this generation not yet seen (a new object's status is observedGeneration: -1); no verdict yet
--   Degraded     a verdict that needs somebody: Stalled is True, or Ready is False
--   Healthy      Ready is True, intended stillness (disconnected, saved, archived) included: Suspended would hold up later
--                sync waves. What deserves a look all the same is in the message.

local status = obj.status or {}
local list = status.conditions or {}
local conditions = {}
for _, condition in ipairs(list) do
  conditions[condition.type] = condition
end

local function is(kind, value)
  return conditions[kind] ~= nil and conditions[kind].status == value
end

local function describe(condition)
  local reason, message = condition.reason or "", condition.message or ""
  if reason == "" or message == "" then
    return reason .. message
  end
  return reason .. ": " .. message
end

local function health(code, condition, otherwise)
  return { status = code, message = condition and describe(condition) or otherwise }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", conditions.Ready, "being deleted")
end
if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "the operator has not seen this generation yet")
end
if is("Stalled", "True") then
  return health("Degraded", conditions.Stalled)
end
-- Also while it is still trying: an organization that has been out of reach for 15 minutes has Ready False and Reconciling True.
if is("Ready", "False") then
  return health("Degraded", conditions.Ready)
end
if is("Reconciling", "True") or not is("Ready", "True") then
  return health("Progressing", conditions.Reconciling or conditions.Ready, "no verdict yet")
end

-- Conditions that are True when something is wrong; all others are False then.
local abnormal = { Throttled = true, Unreachable = true, Reconciling = true, Stalled = true }
local message = describe(conditions.Ready)
for _, condition in ipairs(list) do
  local wrong = abnormal[condition.type] and "True" or "False"
  if condition.type ~= "Ready" and condition.status == wrong then
    message = message .. "; " .. condition.type .. " " .. condition.status .. ", " .. describe(condition)
  end
end
return { status = "Healthy", message = message }
