using Gateway.Bench;

Console.WriteLine("Ratios within one run; absolute figures mean nothing elsewhere.");
if (args is [] or ["nodes"])
{
    await NodeList.MeasureAsync();
}

if (args is [] or ["audit"])
{
    await AuditCost.MeasureAsync();
}
