-- Health of a GemmaDeployment, in the form of Argo CD's resource customizations (Lua 5.1).
local condition = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, item in ipairs(obj.status.conditions) do
    condition[item.type] = item
  end
end

local function health(status, message)
  return { status = status, message = message }
end

local ready = condition.Ready
if ready == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not looked at this generation yet")
end
if ready.reason == "Paused" or ready.reason == "PlanOnly" then
  return health("Suspended", ready.message)
end
for _, kind in ipairs({ "Stalled", "Degraded" }) do
  if condition[kind] ~= nil and condition[kind].status == "True" then
    local why = ready.status == "False" and ready or condition[kind]
    return health("Degraded", why.reason .. ": " .. why.message)
  end
end
if condition.Progressing ~= nil and condition.Progressing.reason == "Paused" then
  return health("Suspended", condition.Progressing.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
if ready.reason == "ContextNotHonored" then
  return health("Degraded", ready.message)
end
return health("Progressing", ready.message)
