namespace Gateway.Settings;

/// <summary>Sections of the contract that this version checks but does not act on, so that no configuration has to change later.</summary>
internal static class LaterSections
{
    public static void Read(YamlMap root)
    {
        var telemetry = root.MapOrEmpty("telemetry");
        if (telemetry.Url("otlp_endpoint") is not null || telemetry.Flag("prometheus"))
        {
            root.Warn("telemetry", "this version exports no telemetry yet");
        }
    }
}
